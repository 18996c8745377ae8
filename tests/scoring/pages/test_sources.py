"""The page of sources: the numbers of the API, in words, and nothing of what was sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.mapping.rules import Ignore
from services.ingest.sources import FOLDER
from services.scoring.pages.sources import MOST_LISTED, first_to_show, sources_page
from services.scoring.pages.wording import wording
from shared.pages.language import Language
from tests.ingest.sources.mapped import document

NOW = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
SPACE = "\N{NO-BREAK SPACE}"
WINDOW = {"from": "2026-11-18", "to": "2026-11-25", "timezone": "Europe/Warsaw"}


def item(name: str = "repairs", **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "state": "receiving",
        "received": 2210,
        "accepted": 2079,
        "duplicates": 74,
        "conflicts": 0,
        "ignored": {"no_rule": 50, "internal_note": 7},
        "rejected": {},
        "incomplete": {},
        "last_seen": "2026-11-24T09:40:00Z",
        "last_error": None,
    } | changed


def delivery(outcome: str = "accepted", **changed: Any) -> dict[str, Any]:
    return {
        "id": "3d0f6a1b-7c52-8e94-b1a6-0f2d4c6e8a90",
        "at": "2026-11-24T09:41:07Z",
        "outcome": outcome,
        "reason": None,
        "status": 202,
        "events": 1,
        "partition": 3,
        "offset": 1042,
        "kept": True,
    } | changed


def page(one: dict[str, Any] | None = None, *others: dict[str, Any], language: Language = "pl", **more: Any) -> Any:
    shown = None if one is None else one | {"deliveries": [], **more}
    items = [*(() if one is None else (one,)), *others]
    return sources_page({"window": WINDOW, "items": items}, shown, NOW, wording(language))


def test_a_row_says_how_a_source_is_doing() -> None:
    (row, quiet) = page(item(), item("quiet shop", state="waiting", last_seen=None)).rows
    assert [number.text for number in row.numbers] == [f"2{SPACE}210", f"2{SPACE}079", "74", "0", "57", "0"]
    assert (row.state_word, row.seen, row.chosen) == ("działa", f"2{SPACE}min temu", True)
    assert (quiet.state_word, quiet.seen, quiet.chosen) == ("czeka", "nigdy", False)
    assert quiet.query == "?source=quiet%20shop&lang=pl"


@pytest.mark.parametrize(
    ("hours", "language", "words"),
    [(26, "pl", "cisza od 26 h 00 min"), (72, "pl", "cisza od 3 dni"), (72, "en", "silent for 3 days")],
)
def test_silence_is_told_by_its_length(hours: int, language: Language, words: str) -> None:
    last = (NOW - timedelta(hours=hours)).isoformat()
    (row,) = page(item(state="silent", last_seen=last), language=language).rows
    assert row.state_word.replace(SPACE, " ") == words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("bad_signature", "podpis się nie zgadza. Porównaj sekret u nadawcy z tym, który zna Pętla."),
        ("token_not_taken", "nadawca nie przyjmuje tokenu: połącz jeszcze raz. Pętla pyta dalej, nic nie przepada."),
        (
            "passed_over",
            "pominięte: nadawca tego nie podał. Co to, mówi dziennik usługi ingest (pull_passed_over).",
        ),
        ("out_of_range", "wartość poza zakresem. Próba na sucho niżej pokaże, co zmienić w dokumencie."),
    ],
)
def test_who_fails_is_told_why_and_what_to_do(reason: str, words: str) -> None:
    error = {"at": "2026-11-24T09:38:20Z", "reason": reason, "status": 401}
    assert page(item(state="failing", last_error=error)).chosen.note == f"Ostatni błąd 10:38: {words}"


def test_reasons_in_words_the_commonest_first() -> None:
    rejected = {"out_of_range": 12, "bad_signature": 17, "newer_than_this_page": 1}
    reasons = page(item(rejected=rejected)).chosen.reasons
    assert [group.heading for group in reasons] == ["Odrzucone: 30", "Zignorowane: 57"]
    assert [tuple(reason) for reason in reasons[0].listed] == [
        ("podpis się nie zgadza", "bad_signature", "17"),
        ("wartość poza zakresem", "out_of_range", "12"),
        ("newer than this page", "", "1"),
    ]


@pytest.mark.parametrize("language", ["pl", "en"])
def test_why_a_built_in_source_ignores_a_delivery_is_said_in_words(language: Language) -> None:
    """Nobody can translate the reasons of a document of one's own; those that come with Pętla are in both languages."""
    rules = [rule for path in FOLDER.glob("*.yaml") for rule in document(path.stem).rules]
    reasons = {rule.reason for rule in rules if isinstance(rule, Ignore)}
    assert len(reasons) > 15
    for reason in reasons:
        (found,) = page(item(ignored={reason: 1}), language=language).chosen.reasons
        assert [code for _, code, _ in found.listed] == [reason]


@pytest.mark.parametrize(
    ("each", "effect"),
    [
        (delivery(events=2), "2 zdarzenia"),
        (delivery(reason="out_of_range"), "1 zdarzenie, część odpadła: wartość poza zakresem"),
        (delivery("duplicate"), "znane, bez skutku"),
        (delivery("conflict"), "ta sama rewizja, inna treść: zostaje pierwsza"),
        (delivery("ignored", reason="internal_note", events=0), "internal note"),
        (delivery("rejected", reason="no_signature", events=0, kept=False), "brak podpisu"),
    ],
)
def test_a_delivery_and_what_came_of_it(each: dict[str, Any], effect: str) -> None:
    (line,) = page(item(), deliveries=[each]).chosen.lines
    assert line.effect.replace(SPACE, " ") == effect
    assert bool(line.action) == each["kept"]


def test_a_delivery_is_tried_where_it_lies() -> None:
    (line,) = page(item("a b"), deliveries=[delivery(at="2026-11-23T09:41:07Z")], language="en").chosen.lines
    assert line.action == (
        "/v1/sources/a%20b/deliveries/3/1042/dry-run?id=3d0f6a1b-7c52-8e94-b1a6-0f2d4c6e8a90&lang=en"
    )
    assert line.label.replace(SPACE, " ") == "Dry run of the delivery of 23 Nov, 10:41:07"


def test_only_the_newest_are_listed() -> None:
    chosen = page(item(), deliveries=[delivery()] * 40).chosen
    assert (len(chosen.lines), chosen.shown) == (MOST_LISTED, "Pokazane: 25 z 40.")


def test_what_needs_looking_at_is_shown_first() -> None:
    waiting, fine, failing = item("a", state="waiting"), item("b"), item("c", state="failing")
    assert first_to_show([waiting, fine, failing]) == "c"
    assert first_to_show([waiting, fine]) == "b"
    assert first_to_show([]) is None
