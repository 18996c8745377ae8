"""Both languages say the same things, to everybody."""

import re
from string import Formatter

import pytest

from services.ingest.surveys import english, polish
from services.ingest.surveys.questions import QUESTIONS
from services.ingest.surveys.wording import wording
from tests.ingest.running import ARRIVAL

GENDERED = re.compile(r"\w+(łeś|łaś|łbyś|łabyś)\b|\b(zadowolony|zadowolona|pewien|pewna)\b", re.IGNORECASE)
SPACE = "\N{NO-BREAK SPACE}"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_the_same_keys_with_the_same_blanks() -> None:
    assert polish.TEXTS.keys() == english.TEXTS.keys()
    assert {key: fields(text) for key, text in polish.TEXTS.items()} == {
        key: fields(text) for key, text in english.TEXTS.items()
    }


@pytest.mark.parametrize("texts", [polish.TEXTS, english.TEXTS])
def test_calm_and_to_everybody(texts: dict[str, str]) -> None:
    assert not [text for text in texts.values() if "!" in text or GENDERED.search(text)]


@pytest.mark.parametrize("metric", QUESTIONS)
def test_every_question_can_be_asked_with_and_without_a_name(metric: str) -> None:
    assert wording("pl", None).named(f"question.{metric}").endswith("?")
    assert "Olcha" in wording("en", "Olcha").named(f"question.{metric}")


def test_a_short_name_stays_on_one_line() -> None:
    assert f"Olcha{SPACE}i{SPACE}Dąb" in wording("pl", "Olcha i Dąb").named("question.nps")
    assert "Bardzo Długa Nazwa Firmy Rodzinnej" in wording("pl", "Bardzo Długa Nazwa Firmy Rodzinnej").named(
        "question.nps"
    )


def test_days_and_numbers() -> None:
    today, december = ARRIVAL.date(), ARRIVAL.date().replace(month=12, day=8)
    assert wording("pl", None).day(december, today) == f"8{SPACE}grudnia"
    assert wording("en", None).day(december.replace(year=2027), today) == f"8{SPACE}December 2027"
    assert (wording("pl", None).number(5000), wording("en", None).number(5000)) == (f"5{SPACE}000", "5,000")
