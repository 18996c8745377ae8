"""Deadlines in words and on the strip, at 10:42 in Warsaw."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.scoring.pages.deadlines import deadline, waiting
from services.scoring.pages.strip import HOURS, NOW, Strip, draw, edges
from services.scoring.pages.wording import wording
from services.scoring.waiting import OpenFollowup, OpenFollowups

PL, EN = wording("pl"), wording("en")
ZONE = ZoneInfo("Europe/Warsaw")
AT = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
LOCAL = AT.astimezone(ZONE)
SPACE = "\N{NO-BREAK SPACE}"


def followup(hours: float | None = 1.3, **changed: Any) -> OpenFollowup:
    """Due `hours` from now."""
    made = OpenFollowup(
        id=UUID("7f3a1900-0000-8000-8000-000000000001"),
        state="new",
        metric="nps",
        score=30,
        scale_max=100,
        priority="high",
        first_attempt_due=None if hours is None else AT + timedelta(hours=hours),
        first_attempt_at=None,
        waiting=True,
    )
    return made._replace(**changed)


@pytest.mark.parametrize(
    ("hours", "kind", "polish", "english"),
    [
        (-100, "overdue", "po terminie 4 dni", "overdue 4 days"),
        (-4.2, "overdue", "po terminie 4 h 12 min", "overdue 4 h 12 min"),
        (-0.01, "overdue", "po terminie 0 min", "overdue 0 min"),
        (0.6, "soon", "za 36 min, 11:18", "in 36 min, 11:18"),
        (3, "soon", "za 3 h 00 min, 13:42", "in 3 h 00 min, 13:42"),
        (3.3, "later", "dziś, 14:00", "today, 14:00"),
        (14, "later", "jutro, 0:42", "tomorrow, 0:42"),
        (48, "later", "26.11, 10:42", "26 Nov, 10:42"),
    ],
)
def test_a_running_deadline(hours: float, kind: str, polish: str, english: str) -> None:
    told = deadline(followup(hours), LOCAL, PL)
    assert (told.kind, told.text.replace(SPACE, " ")) == (kind, polish)
    assert deadline(followup(hours), LOCAL, EN).text.replace(SPACE, " ") == english


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"state": "attempted", "first_attempt_at": AT - timedelta(hours=3)}, "próba w terminie"),
        ({"state": "reached", "first_attempt_at": AT - timedelta(hours=1)}, "próba po terminie"),
    ],
)
def test_once_somebody_tried_no_deadline_runs(changed: dict[str, Any], text: str) -> None:
    told = deadline(followup(-2, waiting=False, **changed), LOCAL, PL)
    assert (told.kind, told.text) == ("met", text)


def test_a_deadline_that_has_not_been_told_is_not_made_up() -> None:
    assert deadline(followup(None), LOCAL, PL).text == "jeszcze bez terminu"


def test_a_line_has_a_short_id_a_state_and_a_score() -> None:
    known = OpenFollowups([followup()], 38, [0] * (2 * HOURS + 2))
    told = waiting(known, AT, ZONE, PL)
    (line,) = told.lines
    assert (line.short_id, line.id) == ("7f3a19", "7f3a1900-0000-8000-8000-000000000001")
    assert (line.state_word, line.score, line.metric, line.priority) == ("nowa", "3/10", "NPS", "wysoka")
    assert told.note == f"38{SPACE}otwartych. Bez nazwisk i treści."
    assert told.shown == "Pokazane: 1 z 38."
    assert told.strip is None


def test_all_listed_needs_no_remark() -> None:
    assert waiting(OpenFollowups([followup()], 1, [0] * (2 * HOURS + 2)), AT, ZONE, PL).shown == ""


@pytest.mark.parametrize(
    ("changed", "score"),
    [
        ({"metric": "recommend", "score": 0, "scale_max": 10}, "nie"),
        ({"metric": "rating", "score": 15, "scale_max": 50}, "1,5/5"),
        ({"score": None}, "–"),
    ],
)
def test_scores(changed: dict[str, Any], score: str) -> None:
    known = OpenFollowups([followup(**changed)], 1, [0] * (2 * HOURS + 2))
    assert waiting(known, AT, ZONE, PL).lines[0].score == score


def drawn(**hours: int) -> Strip:
    """`earlier`, `later`, and numbers by the edge that an hour begins with: h0 is the hour after now, p1 before."""
    due = [0] * (2 * HOURS + 2)
    due[0], due[-1] = hours.pop("earlier", 0), hours.pop("later", 0)
    for name, n in hours.items():
        due[HOURS + 1 + (int(name[1:]) if name[0] == "h" else -int(name[1:]))] = n
    return draw(due, LOCAL, PL)


def test_the_edges_are_a_day_of_hours_to_both_sides() -> None:
    made = edges(AT)
    assert (made[0], made[HOURS], made[-1]) == (AT - timedelta(days=1), AT, AT + timedelta(days=1))
    assert len(made) == 2 * HOURS + 1


def test_shape_tells_overdue_near_and_later_apart() -> None:
    strip = drawn(p1=1, h0=1, h2=1, h3=1)
    assert [mark.shape for mark in strip.marks] == ["diamond", "disc", "disc", "circle"]
    assert [mark.x < NOW for mark in strip.marks] == [True, False, False, False]


def test_the_headings_count_everything() -> None:
    strip = drawn(earlier=1200, p1=3, h0=2, h20=1, later=5)
    assert [heading.text for heading in strip.headings] == [
        f"po terminie: 1{SPACE}203",
        "w ciągu doby: 3",
        "później: 5",
    ]
    assert (strip.earlier, strip.later, strip.now) == (f"1{SPACE}200", "5", "teraz 10:42")
    assert strip.sentence == f"Terminy pierwszej próby: 1{SPACE}203 po terminie, 3 w ciągu doby, 5 później."


@pytest.mark.parametrize(
    ("most", "marks", "each"),
    [(4, 4, ""), (5, 3, "znak: do 2 spraw"), (9, 2, "znak: do 5 spraw"), (81, 2, "znak: do 50 spraw")],
)
def test_an_hour_is_at_most_four_marks_high(most: int, marks: int, each: str) -> None:
    strip = drawn(h0=most)
    assert (len(strip.marks), strip.each) == (marks, each)


def test_ticks_are_hours_of_the_clock_and_a_midnight_is_a_day() -> None:
    texts = [tick.text for tick in drawn(h0=1).ticks]
    assert texts == [
        "12:00", "16:00", "20:00", "24.11", "4:00", "8:00", "12:00", "16:00", "20:00", "25.11", "4:00", "8:00",
    ]  # fmt: skip
