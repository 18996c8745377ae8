"""Open follow-ups by deadline, in words: the strip of all and the list of the first. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.scoring.pages.dates import clock, duration, near_day
from services.scoring.pages.strip import SOON_HOURS, Strip, draw
from services.scoring.pages.wording import Wording
from services.scoring.waiting import OpenFollowup, OpenFollowups

MOST_LISTED = 20
_ID_LETTERS = 6
_DASH = "–"


@dataclass(frozen=True)
class Deadline:
    """`kind` is overdue, soon, later, or met where no deadline runs."""

    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    id: str
    short_id: str
    state: str
    state_word: str
    score: str
    metric: str
    priority: str
    deadline: Deadline


@dataclass(frozen=True)
class Waiting:
    """`shown` says how many of all are listed, empty where all are."""

    note: str
    lines: list[Line]
    shown: str
    strip: Strip | None


def waiting(known: OpenFollowups, now: datetime, zone: ZoneInfo, wording: Wording) -> Waiting:
    """`known.due` is counted by `strip.edges(now)`."""
    numerals = wording.numerals
    shown = wording.text("open.first", shown=len(known.first), total=numerals.plain(known.total))
    return Waiting(
        note=wording.text("open.note", open=wording.counted("open", known.total)),
        lines=[_line(followup, now, zone, wording) for followup in known.first],
        shown=shown if len(known.first) < known.total else "",
        strip=draw(known.due, now.astimezone(zone), wording) if any(known.due) else None,
    )


def _line(followup: OpenFollowup, now: datetime, zone: ZoneInfo, wording: Wording) -> Line:
    return Line(
        id=str(followup.id),
        short_id=str(followup.id)[:_ID_LETTERS],
        state=followup.state,
        state_word=wording.known("state", followup.state),
        score=_score(followup, wording),
        metric=wording.known("metric", followup.metric) if followup.metric else "",
        priority=wording.known("priority", followup.priority) if followup.priority else wording.text("unknown"),
        deadline=deadline(followup, now.astimezone(zone), wording),
    )


def _score(followup: OpenFollowup, wording: Wording) -> str:
    if followup.score is None:
        return _DASH
    if followup.metric == "recommend":
        return wording.text("score.recommend")
    score = wording.numerals.short(followup.score / 10)
    return f"{score}/{wording.numerals.short(followup.scale_max / 10)}" if followup.scale_max else score


def deadline(followup: OpenFollowup, now: datetime, wording: Wording) -> Deadline:
    """`now` in the zone of the page."""
    due = followup.first_attempt_due
    if not followup.waiting:
        return Deadline("met", wording.text(f"deadline.{_ended(followup)}"))
    if due is None:
        return Deadline("met", wording.text("deadline.unknown"))
    if due < now:
        late = duration(now - due, wording)
        return Deadline("overdue", wording.glued(wording.text("deadline.overdue", **{"for": late})))
    local = due.astimezone(now.tzinfo)
    if due - now <= timedelta(hours=SOON_HOURS):
        text = wording.text("deadline.soon", **{"in": duration(due - now, wording)}, at=clock(local))
        return Deadline("soon", wording.glued(text))
    text = wording.text("deadline.later", day=near_day(local, now, wording), at=clock(local))
    return Deadline("later", wording.glued(text))


def _ended(followup: OpenFollowup) -> str:
    """Why no deadline runs."""
    due, tried = followup.first_attempt_due, followup.first_attempt_at
    if due is None or tried is None:
        return "unknown"
    return "in_time" if tried <= due else "too_late"
