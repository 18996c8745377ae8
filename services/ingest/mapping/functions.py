"""The closed set of functions that expressions may call: our own and JMESPath's builtins, all pure.

In every function of our own null stays null; what a function cannot read raises `FunctionError`, never a guess.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache, partial
from typing import Any

from jmespath.functions import Functions as Builtins

from services.ingest.mapping import payload_functions
from services.ingest.mapping.markup import strip_html
from services.ingest.mapping.numbers import check_currency, check_mark, minor, read_number, scale
from services.ingest.mapping.times import SERIALS, check_pattern, read_date, read_moment

MANY = 1000


class FunctionError(ValueError):
    """A value that the function `name` cannot read."""


@dataclass(frozen=True)
class Surroundings:
    """What functions know beside their arguments: the document's zone and its tables."""

    zone: tzinfo | None
    tables: Mapping[str, Mapping[str, Any]]


class Functions(Builtins):
    """Bound to the expressions of a document; holds no state, so one instance serves all rows."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings

    def called(self, name: str) -> Callable[[list[Any]], Any]:
        """The function of that name, which takes its arguments as one list."""
        own = OWN.get(name)
        if own is not None:
            return self._bound(name, own)
        builtin = partial(self.call_function, name)
        return partial(_join, builtin) if name == "join" else builtin

    def _bound(self, name: str, own: "_Own") -> Callable[[list[Any]], Any]:
        call = own.call if own.is_plain else partial(own.call, self.surroundings)
        null_stays = own.null_stays

        def bound(given: list[Any]) -> Any:
            if null_stays and given[0] is None:
                return None
            try:
                return call(*given)
            except (ValueError, OverflowError) as error:
                raise FunctionError(f"{name}() cannot read this: {error}") from None

        return bound

    def _type_check_single(self, current: Any, types: Any, function_name: Any) -> None:
        """Nearly always text is wanted and given."""
        if type(current) is not str or "string" not in types:
            builtins: Any = super()
            builtins._type_check_single(current, types, function_name)

    def _get_allowed_pytypes(self, types: Any) -> Any:
        """jmespath works it out at every call."""
        return _allowed(tuple(types))


def _join(builtin: Callable[[list[Any]], Any], given: list[Any]) -> Any:
    """Nearly always all is text; else the builtin says what is not."""
    separator, parts = given
    if type(separator) is str and type(parts) is list and all(type(part) is str for part in parts):
        return separator.join(parts)
    return builtin(given)


@lru_cache(maxsize=256)
def _allowed(types: tuple[str, ...]) -> Any:
    builtins: Any = Builtins()
    return builtins._get_allowed_pytypes(list(types))


def arities() -> dict[str, tuple[int, int]]:
    """The least and the most arguments of every function there is."""
    signatures = {name: entry["signature"] for name, entry in Builtins.FUNCTION_TABLE.items()}
    builtins = {
        name: (len(parts), MANY if parts and parts[-1].get("variadic") else len(parts))
        for name, parts in signatures.items()
    }
    return builtins | {name: (own.least, own.most) for name, own in OWN.items()}


def check_constants(name: str, constants: list[Any], surroundings: Surroundings) -> None:
    """Judge, before the first row, the arguments that are constants (`...` stands for one that is not).

    Raises ValueError with what to change.
    """
    if name in ("parse_time", "date") and len(constants) > 1:
        if not isinstance(constants[1], str):
            raise ValueError("the format is written out as text, such as '%d.%m.%Y'")
        check_pattern(constants[1])
    elif name == "number" and len(constants) > 1:
        check_mark(constants[1])
    elif name == "lookup" and constants[0] is not ...:
        _table(surroundings, constants[0])
    elif name == "minor":
        _check_money(*constants[1:])


def _check_money(currency: Any, mark: Any = ".") -> None:
    if currency is not ...:
        check_currency(currency)
    check_mark(mark)


def _date(value: Any, pattern: str | None = None) -> str:
    """date(x[, format]): `YYYY-MM-DD` as written, in the offset in which it is written; formats as in `read_moment`."""
    return read_date(_dated(value, pattern), pattern)


def _parse_time(surroundings: Surroundings, value: Any, pattern: str | None = None) -> str:
    """parse_time(x[, format]): RFC 3339 with offset; see `read_moment`."""
    return read_moment(_dated(value, pattern), pattern, surroundings.zone)


def _coalesce(*values: Any) -> Any:
    """coalesce(a, b, …): the first that is not null."""
    return next((value for value in values if value is not None), None)


def _lookup(surroundings: Surroundings, table: Any, key: Any) -> Any:
    """lookup(table, key): the value under `key` (numbers as they are written); null where the table has none."""
    entries = _table(surroundings, table)
    if isinstance(key, bool):
        key = "true" if key else "false"
    if key is not None and not isinstance(key, str | int | float):
        raise ValueError("a key is text or a number")
    return None if key is None else entries.get(str(key))


def _lower(value: Any) -> str:
    """lower(x): text in small letters."""
    return _text(value).lower()


def _upper(value: Any) -> str:
    """upper(x): text in capital letters."""
    return _text(value).upper()


def _seconds_between(surroundings: Surroundings, start: Any, end: Any) -> int | float | None:
    """seconds_between(start, end): see payload_functions."""
    return payload_functions.seconds_between(start, end, surroundings.zone)


def _milliseconds(surroundings: Surroundings, moment: Any) -> int:
    """milliseconds(moment): see payload_functions."""
    return payload_functions.milliseconds(moment, surroundings.zone)


def _strip_html(value: Any) -> str:
    """strip_html(x): the readable text of HTML; see `strip_html` in markup."""
    return strip_html(_text(value))


def _mask(value: Any) -> str:
    """mask(x): the first character and `***`, whatever the length, so that not even the length of a name is told.

    One character alone becomes `***`; empty text stays empty.
    """
    text = _text(value)
    return (text[0] if len(text) > 1 else "") + ("***" if text else "")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text: wrap it in to_string()")
    return value


def _dated(value: Any, pattern: str | None) -> str:
    """Days since an epoch may stand in JSON as a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number and pattern in SERIALS else _text(value)


def _table(surroundings: Surroundings, name: Any) -> Mapping[str, Any]:
    table = surroundings.tables.get(name) if isinstance(name, str) else None
    if table is None:
        known = ", ".join(surroundings.tables) or "none"
        raise ValueError(f"there is no table {name!r:.40} under `tables` (there are: {known})")
    return table


@dataclass(frozen=True)
class _Own:
    """A function that is not plain takes the surroundings before its arguments."""

    call: Callable[..., Any]
    least: int
    most: int
    null_stays: bool = True
    is_plain: bool = True


OWN = {
    "number": _Own(read_number, 1, 2),
    "date": _Own(_date, 1, 2),
    "parse_time": _Own(_parse_time, 1, 2, is_plain=False),
    "coalesce": _Own(_coalesce, 1, MANY, null_stays=False),
    "lookup": _Own(_lookup, 2, 2, null_stays=False, is_plain=False),
    "minor": _Own(minor, 2, 3),
    "scale": _Own(scale, 3, 3),
    "lower": _Own(_lower, 1, 1),
    "strip_html": _Own(_strip_html, 1, 1),
    "mask": _Own(_mask, 1, 1),
    "text": _Own(payload_functions.spelled, 1, 1),
    "upper": _Own(_upper, 1, 1),
    "split": _Own(payload_functions.split, 2, 2),
    "find": _Own(payload_functions.find, 3, 3),
    "from_epoch": _Own(payload_functions.from_epoch, 1, 2),
    "seconds_between": _Own(_seconds_between, 2, 2, is_plain=False),
    "milliseconds": _Own(_milliseconds, 1, 1, is_plain=False),
    "total": _Own(payload_functions.total, 2, 2),
}
