"""Windows of time as a question states them: half-open, in the calendar of a time zone, kept in UTC.

A date is the start of its day in the zone; where a clock change removes midnight, the day starts with its first moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.clock import rfc3339

DEFAULT_DAYS = 90
FIRST_YEAR, LAST_YEAR = 1970, 2100

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")


class WindowError(ValueError):
    """A question about time that cannot be answered: the parameter, and a sentence that says what to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Window:
    """From `start` up to, not including, `end`, both in UTC; `timezone` is the zone whose days are meant."""

    start: datetime
    end: datetime
    timezone: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def as_json(self) -> dict[str, str]:
        return {"from": rfc3339(self.start), "to": rfc3339(self.end), "timezone": self.timezone}


def parse_window(start: str | None, end: str | None, timezone: str, now: datetime) -> Window:
    """`start` and `end` are the parameters `from` and `to`, dates or RFC 3339 times, `now` is aware.

    Without an end: the end of today in the zone. Without a start: 90 days of the zone's calendar before the end.
    Raises WindowError.
    """
    zone = parse_timezone(timezone)
    today = now.astimezone(zone).date()
    last = midnight(today + timedelta(days=1), zone) if end is None else _parse_moment("to", end, zone)
    first = _days_before(last, DEFAULT_DAYS, zone) if start is None else _parse_moment("from", start, zone)
    return _ordered(Window(first, last, timezone), "from")


def parse_comparison(text: str, window: Window) -> Window:
    """The parameter `compare_to`: `previous`, or `FROM..TO` as in parse_window. Raises WindowError."""
    if text == "previous":
        return previous(window)
    start, separator, end = text.partition("..")
    if not separator:
        raise WindowError("compare_to", f"{text!r} is neither previous nor FROM..TO, such as 2026-01-01..2026-02-01")
    zone = window.zone
    first, last = _parse_moment("compare_to", start, zone), _parse_moment("compare_to", end, zone)
    return _ordered(Window(first, last, window.timezone), "compare_to")


def previous(window: Window) -> Window:
    """The window just before, of the same number of days where both ends are midnights, else of the same duration."""
    zone = window.zone
    if is_day_aligned(window, zone):
        days = (window.end.astimezone(zone).date() - window.start.astimezone(zone).date()).days
        return Window(_days_before(window.start, days, zone), window.start, window.timezone)
    return Window(window.start - (window.end - window.start), window.start, window.timezone)


def parse_timezone(name: str) -> ZoneInfo:
    """Raises WindowError for a name that the time zone database does not have."""
    try:
        return ZoneInfo(name)
    # A name may also be a folder of the database, a path outside it, or too long for a file.
    except (LookupError, ValueError, OSError):
        raise WindowError("tz", f"{name!r} is not a time zone: use a name such as Europe/Warsaw or UTC") from None


def is_day_aligned(window: Window, zone: ZoneInfo) -> bool:
    """Whether both ends start a day of the zone, so that sums by day can answer."""
    return _starts_day(window.start, zone) and _starts_day(window.end, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    # fold=0 reads a midnight in a gap with the offset before it, which is the moment the gap ends.
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _starts_day(moment: datetime, zone: ZoneInfo) -> bool:
    return moment == midnight(moment.astimezone(zone).date(), zone)


def _days_before(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone)
    if _starts_day(moment, zone):
        return midnight(local.date() - timedelta(days=days), zone)
    return (local - timedelta(days=days)).astimezone(UTC)


def _parse_moment(field: str, text: str, zone: ZoneInfo) -> datetime:
    is_date = _DATE.fullmatch(text)
    if not is_date and not _TIME.fullmatch(text):
        raise WindowError(
            field,
            f"{text!r} is neither a date such as 2026-11-20 nor a time with an offset such as 2026-11-20T10:00:00Z"
            " (in an address, write + as %2B)",
        )
    if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise WindowError(field, f"{text!r} must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    try:
        return midnight(date.fromisoformat(text), zone) if is_date else _instant(text)
    except ValueError:
        raise WindowError(field, f"{text!r} does not exist: check the day of the month and the time of day") from None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def _ordered(window: Window, field: str) -> Window:
    if window.start >= window.end:
        start, end = rfc3339(window.start), rfc3339(window.end)
        raise WindowError(field, f"the start must be earlier than the end: {start} is not before {end}")
    return window
