"""How days, moments and spans of time are written in each language; moments are those of a zone. Pure."""

from datetime import date, datetime, timedelta

from services.scoring.pages.wording import Wording

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# From here on the minutes no longer matter to anybody.
_COUNTED_IN_DAYS = 2 * _DAY


def clock(moment: datetime) -> str:
    return f"{moment.hour}:{moment.minute:02}"


def short_day(day: date, wording: Wording) -> str:
    """24.11, 24 Nov"""
    return wording.text("day.short", day=day.day, month=day.month, name=wording.short_months[day.month - 1])


def long_range(first: date, last: date, wording: Wording) -> str:
    """Both days belong to the range; the year of the first is told only where it differs."""
    start = f"{first.day} {wording.months[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} – {last.day} {wording.months[last.month - 1]} {last.year}"


def near_day(moment: datetime, now: datetime, wording: Wording) -> str:
    """Today, tomorrow, or the date; both moments in one zone."""
    away = (moment.date() - now.date()).days
    if away in (0, 1):
        return wording.text("today" if away == 0 else "tomorrow")
    return short_day(moment.date(), wording)


def duration(span: timedelta, wording: Wording) -> str:
    """29 min, 4 h 05 min, 3 dni"""
    if span >= _COUNTED_IN_DAYS:
        return wording.counted("days", span // _DAY)
    hours, minutes = span // _HOUR, span % _HOUR // timedelta(minutes=1)
    return wording.glued(f"{hours} h {minutes:02} min" if hours else f"{minutes} min")
