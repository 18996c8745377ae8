"""Moments and dates from what files hold. A moment keeps the offset it had where it happened."""

import re
import warnings
from datetime import UTC, datetime, timedelta, tzinfo

# The part of ISO 8601 that exports use; `fromisoformat` alone also takes week dates and 20260105.
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?) ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_LONGEST = 64
_PROBE = datetime(2021, 11, 23, tzinfo=UTC)


def read_moment(text: str, pattern: str | None, zone: tzinfo | None) -> str:
    """RFC 3339 with offset. A time without an offset is the local time of `zone`; a date alone is its midnight.

    A local time that the clocks skipped moves forward by what they skipped, one that came twice is the first
    (PEP 495, fold 0). Raises ValueError.
    """
    moment = _read(text, pattern)
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{text!r} has no offset: name the document's timezone")
        moment = _settle(moment.replace(tzinfo=zone))
    offset = moment.utcoffset() or timedelta()
    if offset % timedelta(minutes=1):
        raise ValueError(f"{text!r} has an offset with seconds, which RFC 3339 does not know")
    return moment.isoformat()


def read_date(text: str, pattern: str | None) -> str:
    """`YYYY-MM-DD` as it is written, in whatever offset it is written. Raises ValueError."""
    return _read(text, pattern).date().isoformat()


def check_pattern(pattern: str) -> None:
    """Raises ValueError for a strptime format that is none, or that leaves the year, month or day open."""
    if len(pattern) > _LONGEST:
        raise ValueError(f"a time format has at most {_LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            again = datetime.strptime(_PROBE.strftime(pattern), pattern)  # noqa: DTZ007 (only the date is compared)
    except (ValueError, re.error):
        raise ValueError(f"{pattern!r} is not a strptime format: such as '%d.%m.%Y %H:%M'") from None
    if again.date() != _PROBE.date():
        raise ValueError(f"{pattern!r} does not name a whole date: year, month and day are needed")


def _read(text: str, pattern: str | None) -> datetime:
    shown = text[:_LONGEST]
    try:
        if len(text) > _LONGEST:
            raise ValueError
        if pattern is not None:
            return datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 (the zone is set by the caller)
        match = _ISO.fullmatch(text.strip())
        if match is None:
            raise ValueError
        day, clock, offset = match.groups()
        return datetime.fromisoformat(f"{day}T{clock or '00:00'}{(offset or '').upper()}")
    except ValueError:
        wanted = f"the format {pattern!r}" if pattern else "ISO 8601 (2026-11-20 or 2026-11-20 10:00:00)"
        raise ValueError(f"{shown!r} does not follow {wanted}") from None


def _settle(local: datetime) -> datetime:
    try:
        return local.astimezone(UTC).astimezone(local.tzinfo)
    except OverflowError:
        raise ValueError(f"{local.replace(tzinfo=None)} lies outside the calendar") from None
