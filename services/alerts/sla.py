"""When somebody has to have tried. Pure: the times come from the database's clock, which all processes share."""

from datetime import datetime, timedelta

from services.alerts.states import UNATTEMPTED


def first_attempt_due(since: datetime, hours: float) -> datetime:
    """The deadline of the first attempt; `since` is when the follow-up was opened or reopened."""
    return since + timedelta(hours=hours)


def is_overdue(state: str, due: datetime, now: datetime) -> bool:
    """Nobody has tried, and the deadline has passed."""
    return state in UNATTEMPTED and due < now
