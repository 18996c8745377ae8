"""Own functions that nested payloads need beyond what rows do: pure, linear in what they read, null stays null."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from services.ingest.mapping.numbers import check_currency, minor
from services.ingest.mapping.times import moment_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_UNITS = {"s": "seconds", "ms": "milliseconds"}


def spelled(value: Any) -> str:
    """A name as text: numbers as they are written (3.0 is `3`), so that an id is the same in every payload."""
    if isinstance(value, str):
        return value
    if type(value) not in (int, float):
        raise ValueError(f"{value!r:.40} is neither text nor a number")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def split(value: Any, separator: Any) -> list[str]:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text")
    if not isinstance(separator, str) or not separator:
        raise ValueError("the separator is text of at least one character")
    return value.split(separator)


def find(entries: Any, key: Any, value: Any) -> Any:
    """The first object of the list whose `key` is `value`; null where there is none."""
    if not isinstance(entries, list) or not isinstance(key, str):
        raise ValueError("find(list, 'key', value) looks through a list of objects")
    return next((entry for entry in entries if isinstance(entry, dict) and _same(entry.get(key), value)), None)


def _same(left: Any, right: Any) -> bool:
    """A key that an object lacks is equal to nothing, and true is not 1."""
    return left is not None and isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def from_epoch(value: Any, unit: Any = "s") -> str:
    """RFC 3339 in UTC of seconds (`s`) or milliseconds (`ms`) since 1970."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r:.40} is no number of seconds or milliseconds")
    if unit not in _UNITS:
        raise ValueError("the unit is 's' or 'ms'")
    try:
        return (_EPOCH + timedelta(**{_UNITS[unit]: value})).isoformat()
    except OverflowError:
        raise ValueError(f"{value} lies outside the calendar") from None


def seconds_between(start: Any, end: Any, zone: tzinfo | None) -> int | float | None:
    """From `start` to `end`, two moments; negative when they are the other way round; null when one is missing."""
    if start is None or end is None:
        return None
    if not isinstance(start, str) or not isinstance(end, str):
        raise ValueError("two moments are compared, each as text")
    seconds = (moment_of(end, None, zone) - moment_of(start, None, zone)).total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def milliseconds(moment: Any, zone: tzinfo | None) -> int:
    """Whole milliseconds since 1970: a time of change as a revision."""
    if not isinstance(moment, str):
        raise ValueError(f"{moment!r:.40} is no moment as text: from_epoch() makes one of a number")
    return (moment_of(moment, None, zone) - _EPOCH) // _MILLISECOND


def total(amounts: Any, currency: Any) -> dict[str, Any]:
    """The sum of a list of amounts as money in minor units, exact; nulls are left out, an empty list is zero."""
    check_currency(currency)
    if not isinstance(amounts, list):
        raise ValueError("total(list, currency) adds the amounts of a list")
    units = [minor(amount, currency)["amount"] for amount in amounts if amount is not None]
    return {"amount": sum(units), "currency": currency}
