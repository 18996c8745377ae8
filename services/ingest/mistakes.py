"""The decoder's messages as field, code and remedy. Slow, and only for refusals."""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct, inspect

from shared.events.fields import EventError

_AT = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`$")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_RANGE = re.compile(r"Expected `(?:int|float)(?: \| null)?` (?P<bound>[<>]=? \S+)")
_LENGTH = re.compile(r"Expected `str(?: \| null)?` of length (?P<bound>[<>]=? \d+)")
_TYPE = re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`")

_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_NAMES = {"str": "a string", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "null"}
_NAMES |= {"object": "an object", "array": "a list", "datetime": "a time like 2026-11-20T10:00:00+01:00"}
_NAMES |= {"date": "a date like 2026-11-20"}


def mistake(error: msgspec.ValidationError, root: str, struct: type[Struct]) -> EventError:
    """`root` is the path of what was decoded into `struct`."""
    found = _AT.search(str(error))
    message = str(error)[: found.start()] if found else str(error)
    path = f"{root}.{found['path']}" if found and root else found["path"] if found else root
    if missing := _MISSING.search(message):
        name = missing["name"]
        return EventError(f"{path}.{name}" if path else name, "missing", f"{name} is required")
    code, text = _explained(message, _allowed(struct, found["path"] if found else ""))
    return EventError(path or "event", code, text)


def _explained(message: str, allowed: Sequence[object]) -> tuple[str, str]:
    if message.startswith("Invalid enum value"):
        return "unknown_value", "is not one of " + ", ".join(str(value) for value in allowed)
    if "matching regex" in message:  # of a currency: the only pattern that the structs have
        return "not_a_currency", "is no currency: three capital letters, like PLN"
    if bound := _RANGE.search(message):
        return "out_of_range", f"must be {_bound(bound['bound'])}"
    if bound := _LENGTH.search(message):
        return "length", f"must have {_bound(bound['bound'])} characters"
    return _of_the_wrong_kind(message)


def _of_the_wrong_kind(message: str) -> tuple[str, str]:
    if kind := _TYPE.search(message):
        wanted = " or ".join(_NAMES.get(name, name) for name in kind["wanted"].split(" | "))
        return "wrong_type", f"must be {wanted}, not {_NAMES.get(kind['got'], kind['got'])}"
    if "timezone" in message:
        return "no_offset", "has no offset: send a time like 2026-11-20T10:00:00+01:00"
    if "RFC3339" in message:
        return "not_a_time", "is no time or date: send 2026-11-20T10:00:00+01:00, or 2026-11-20 for a date"
    if "out of range" in message:
        return "out_of_range", "is too large a number"
    return "invalid", message


def _bound(text: str) -> str:
    sign, value = text.split(" ")
    return f"{_BOUNDS[sign]} {float(value):.0f}"


def _allowed(struct: type[Struct], path: str) -> Sequence[object]:
    """The values that the field of a literal type may have."""
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)
    field = next((field for field in found.fields if field.encode_name == path), None)
    return field.type.values if field and isinstance(field.type, inspect.LiteralType) else ()
