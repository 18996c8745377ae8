"""Moments and dates from what files hold. A moment keeps the offset it had where it happened."""

import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial

from services.ingest.mapping.polish import read_polish

# The part of ISO 8601 that exports use; `fromisoformat` alone also takes week dates and 20260105.
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?) ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_LONGEST = 64
_USUAL = 25
_PROBE = datetime(2021, 11, 23, tzinfo=UTC)

_SERIAL = re.compile(r"[0-9]{1,7}(?:[.,][0-9]{1,15})?")
# Below 61 Excel's 1900 calendar counts a 29 February that was none; the end is the last day of the year 9999.
_FIRST_SERIAL, _END_OF_SERIALS = 61, 2_958_466
_DAYS_TO_1904 = 1462
SERIALS = ("excel", "excel1904")


def read_moment(text: str, pattern: str | None, zone: tzinfo | None) -> str:
    """RFC 3339 with offset; see `moment_of`."""
    return moment_of(text, pattern, zone).isoformat()


def moment_of(text: str, pattern: str | None, zone: tzinfo | None) -> datetime:
    """With a fixed offset. A time without an offset is the local time of `zone`; a date alone is its midnight.

    `pattern` is a strptime format or the name of a reading: `pl` (see `read_polish`), `excel` and `excel1904` (days
    since the workbook's epoch). A local time that the clocks skipped moves forward by what they skipped, one that came
    twice is the first (PEP 495, fold 0). Raises ValueError.
    """
    moment = _read(text, pattern)
    settled = moment.tzinfo is not None
    if not settled:
        if zone is None:
            raise ValueError(f"{text!r} has no offset: name the document's timezone")
        moment = _settle(moment.replace(tzinfo=zone))
    offset = moment.utcoffset() or timedelta()
    if offset.seconds % 60 or offset.microseconds:
        raise ValueError(f"{text!r} has an offset with seconds, which RFC 3339 does not know")
    return moment if settled else moment.replace(tzinfo=timezone(offset))


def read_date(text: str, pattern: str | None) -> str:
    """`YYYY-MM-DD` as it is written, in whatever offset it is written. Raises ValueError."""
    return _read(text, pattern).date().isoformat()


def check_pattern(pattern: str) -> None:
    """Raises ValueError for what is neither a reading nor a strptime format with a whole date in it."""
    if pattern in _READINGS:
        return
    if len(pattern) > _LONGEST:
        raise ValueError(f"a time format has at most {_LONGEST} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            again = datetime.strptime(_PROBE.strftime(pattern), pattern)  # noqa: DTZ007 (only the date is compared)
    except (ValueError, re.error):
        raise ValueError(_no_pattern(pattern, "is not a strptime format")) from None
    if again.date() != _PROBE.date():
        raise ValueError(_no_pattern(pattern, "does not name a whole date (year, month and day)"))


def _no_pattern(pattern: str, what: str) -> str:
    known = ", ".join(f"'{name}'" for name in _READINGS)
    return f"{pattern!r} {what}: a strptime format is '%d.%m.%Y %H:%M', readings with a name are {known}"


def _read(text: str, pattern: str | None) -> datetime:
    shown = text[:_LONGEST]
    try:
        if len(text) > _LONGEST:
            raise ValueError
        if pattern is None:
            return _read_iso(text)
        if pattern in _READINGS:
            return _READINGS[pattern][0](text)
        return datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 (the zone is set by the caller)
    except (ValueError, OverflowError):
        wanted = f"the format {pattern!r}" if pattern else "ISO 8601 (2026-11-20 or 2026-11-20 10:00:00)"
        wanted = _READINGS[pattern][1] if pattern in _READINGS else wanted
        raise ValueError(f"{shown!r} does not follow {wanted}") from None


def _read_iso(text: str) -> datetime:
    if (
        len(text) == _USUAL
        and text[10] == "T"
        and text[4] == text[7] == "-"
        and text[13] == text[16] == text[22] == ":"
    ):
        return datetime.fromisoformat(text)  # 2026-01-05T10:00:00+01:00, where each of its digits has one place
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise ValueError
    day, clock, offset = match.groups()
    return datetime.fromisoformat(f"{day}T{clock or '00:00'}{(offset or '').upper()}")


def _read_polish(text: str) -> datetime:
    return read_polish(text) or _read_iso(text)


def _read_serial(text: str, days_before: int) -> datetime:
    """A workbook keeps a moment as days in binary: what is not a whole millisecond is its rounding."""
    if not _SERIAL.fullmatch(text.strip()):
        raise ValueError
    days = float(text.strip().replace(",", ".")) + days_before
    if not _FIRST_SERIAL <= days < _END_OF_SERIALS:
        raise ValueError
    return datetime(1899, 12, 30) + timedelta(milliseconds=round(days * 86_400_000))  # noqa: DTZ001 (as above)


_READINGS: dict[str, tuple[Callable[[str], datetime], str]] = {
    "pl": (_read_polish, "'pl' (22.11.2026 14:05, 22 listopada 2026 or 2026-11-22)"),
    "excel": (partial(_read_serial, days_before=0), "'excel' (days since 1900, such as 46348.5868)"),
    "excel1904": (partial(_read_serial, days_before=_DAYS_TO_1904), "'excel1904' (days since 1904)"),
}


def _settle(local: datetime) -> datetime:
    try:
        return local.astimezone(UTC).astimezone(local.tzinfo)
    except OverflowError:
        raise ValueError(f"{local.replace(tzinfo=None)} lies outside the calendar") from None
