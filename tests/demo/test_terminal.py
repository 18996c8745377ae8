"""The table tells the loop in 80 columns, and plainly where there is no terminal."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from services.demo.figures import Figures
from services.demo.terminal import Terminal, rows

RECONCILIATION: dict[str, Any] = {
    "settled": True,
    "balanced": True,
    "topics": {
        "petla.feedback": {
            "read": 421_000,
            "new": 407_000,
            "duplicates": 13_900,
            "conflicts": 40,
            "rejected": {"undecodable": 60},
            "lost": 0,
        },
        "petla.activity": {"read": 10, "new": 10, "duplicates": 0, "conflicts": 0, "rejected": {}, "lost": 0},
    },
    "feedback": {"scored": 383_000, "retracted": 5_000, "superseded": 19_000},
    "detractors": {"total": 52, "followups": 39, "suppressed": {"same_submission": 12, "too_old": 1}, "missing": 0},
}
STATES = ("new", "assigned", "attempted", "reached", "resolved", "confirmed", "disputed", "silent", "withdrawn")
FIGURES = Figures(
    start=datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
    sent=2_000,
    new=2_000,
    repeated=53,
    durability="local",
    nps={"value": 45.19, "n": 104, "interval": {"low": 29.99, "high": 57.86, "method": "adjusted_wald"}, "unit": "x"},
    late_delivery={"value": 6.9, "n": 305},
    followups={**dict.fromkeys(STATES, 0), "new": 10, "attempted": 9, "reached": 4, "resolved": 13, "withdrawn": 3},
    notified=39,
    forged=0,
    reconciliation=RECONCILIATION,
)


def shown(figures: Figures, *, hidden: bool = False) -> str:
    stream = io.StringIO()
    with Terminal(Console(file=stream, width=120), hidden=hidden) as terminal:
        terminal.progress("sending", 1, 2)
        terminal.started()
        terminal.show(1, figures)
        terminal.tell("", "  http://127.0.0.1:8080/docs")
    return stream.getvalue()


def words(figures: Figures) -> dict[str, tuple[str, str]]:
    return {name: (number, text) for name, number, text in rows(figures)}


def test_it_is_plain_and_fits_80_columns() -> None:
    text = shown(FIGURES)
    assert "\x1b" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80


def test_it_tells_the_loop() -> None:
    told = words(FIGURES)
    assert told["received"] == ("2,000", "events, safe on this disk; 53 of them came twice")
    assert told["scored"][0] == "383,000"
    assert told["NPS"] == ("+45.2", "between +30.0 and +57.9 (95 %), n = 104")
    assert told["follow-ups"][0] == "39"
    assert told["notified"] == ("39", "webhooks, each signature verified")
    assert told["attempted"][0] == "26"
    assert told["resolved"] == ("13", "with cause and action; 23 still open")
    assert told["reconciliation"] == (
        "balanced",
        "421,000 feedback = 407,000 new + 13,900 duplicates + 40 conflicts + 60 rejected",
    )
    assert rows(FIGURES)[-1] == ("", "", "52 detractors = 39 follow-ups + 13 suppressed")


def test_known_data_is_said_to_be_known() -> None:
    assert words(FIGURES._replace(new=0))["received"][1] == "known since 2026-11-20 12:00 UTC: none counts again"


def test_what_a_killed_start_had_sent_is_known_too() -> None:
    assert words(FIGURES._replace(new=1_500))["received"][1] == "events, safe on this disk; 500 known before"


@pytest.mark.parametrize("changed", [{"balanced": False}, {"settled": False}])
def test_what_does_not_balance_is_said_loudly(changed: dict[str, bool]) -> None:
    figures = FIGURES._replace(reconciliation={**RECONCILIATION, **changed})
    assert not figures.balanced
    assert "NOT BALANCED" in shown(figures)


def test_a_missing_follow_up_is_shown() -> None:
    detractors = {"total": 3, "followups": 2, "suppressed": {}, "missing": 1}
    figures = FIGURES._replace(reconciliation={**RECONCILIATION, "detractors": detractors})
    assert rows(figures)[-1][2] == "3 detractors = 2 follow-ups + 1 missing"


def test_nothing_to_count_is_no_error() -> None:
    empty = {"value": None, "n": 0, "interval": None}
    told = words(FIGURES._replace(nps=empty, late_delivery=empty))
    assert (told["NPS"][0], told["late"][0]) == ("–", "–")


def test_who_was_notified_depends_on_who_receives() -> None:
    assert "ALERTS_WEBHOOK_URL" in words(FIGURES._replace(forged=None))["notified"][1]
    assert words(FIGURES._replace(forged=2))["notified"][1] == "webhooks; 2 without a valid signature"


def test_hidden_shows_nothing() -> None:
    assert shown(FIGURES, hidden=True) == ""


def test_the_json_is_the_contract() -> None:
    assert FIGURES.document() == {
        "sent": 2_000,
        "scored": 383_000,
        "nps": {"value": 45.19, "n": 104, "interval": {"low": 29.99, "high": 57.86, "method": "adjusted_wald"}},
        "followups": {"opened": 39, "resolved": 13},
        "notified": 39,
        "reconciliation": RECONCILIATION,
    }
