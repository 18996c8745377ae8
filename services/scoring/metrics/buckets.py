"""A window cut into days, ISO weeks or months of its zone: without gaps or overlaps, clipped to the window."""

from __future__ import annotations

from datetime import date, timedelta

from services.scoring.metrics.windows import Window, WindowError, midnight

GRANULARITIES = ("day", "week", "month")
MOST_BUCKETS = 4_000


def cut(window: Window, granularity: str) -> list[Window]:
    """The buckets in order, empty ones included. Raises WindowError."""
    if granularity not in GRANULARITIES:
        raise WindowError("granularity", f"{granularity!r} is not one of {', '.join(GRANULARITIES)}")
    zone = window.zone
    buckets: list[Window] = []
    day = _first_day(window.start.astimezone(zone).date(), granularity)
    start = window.start
    while start < window.end:
        if len(buckets) == MOST_BUCKETS:
            raise WindowError(
                "granularity",
                f"the window has more than {MOST_BUCKETS} {granularity} buckets: ask for longer ones or less time",
            )
        day = _next_first_day(day, granularity)
        end = min(midnight(day, zone), window.end)
        # A day that a zone skipped (Samoa, 2011-12-30) has no moment and so no bucket.
        if start < end:
            buckets.append(Window(start, end, window.timezone))
            start = end
    return buckets


def _first_day(day: date, granularity: str) -> date:
    if granularity == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if granularity == "month" else day


def _next_first_day(day: date, granularity: str) -> date:
    if granularity == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if granularity == "week" else 1)
