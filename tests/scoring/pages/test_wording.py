"""Both languages say the same things, with the same values in them."""

from string import Formatter

from services.scoring.pages.wording import wording

POLISH, ENGLISH = wording("pl"), wording("en")


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_no_text_is_missing_in_a_language() -> None:
    assert POLISH.texts.keys() == ENGLISH.texts.keys()
    assert POLISH.nouns.keys() == ENGLISH.nouns.keys()


def test_texts_take_the_same_values() -> None:
    differing = {
        key
        for key in POLISH.texts
        if _values(POLISH.texts[key]) != _values(ENGLISH.texts[key]) and not key.startswith("day.")
    }
    assert differing == set()


def test_a_code_that_is_newer_than_the_page_stands_for_itself() -> None:
    assert wording("pl").known("suppressed", "too_old") == "za stare"
    assert wording("pl").known("suppressed", "quiet_hours") == "quiet_hours"


def test_counted() -> None:
    assert wording("pl").counted("followups", 1) == "1\N{NO-BREAK SPACE}sprawa"
    assert wording("pl").counted("open", 38) == "38\N{NO-BREAK SPACE}otwartych"
    assert wording("pl").counted("answers", 1184) == "1\N{NO-BREAK SPACE}184\N{NO-BREAK SPACE}odpowiedzi"
    assert wording("en").counted("followups", 1) == "1\N{NO-BREAK SPACE}follow-up"
