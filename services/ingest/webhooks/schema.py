"""A document against the published schema; a mistake is told with its line, its field and what to write instead."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from services.ingest.mapping.located import Located, MappingError, suggest
from services.ingest.sources import SCHEMA

_Error = Any  # a ValidationError; its types leave open whether it has what it has
_KINDS = {
    "object": "keys and values",
    "array": "a list, each entry beginning with `- `",
    "string": "text, in quotes",
    "integer": "a whole number",
    "boolean": "true or false",
}


def check(document: Located) -> None:
    """Raises `MappingError` for the mistake that stands first."""
    errors = [_innermost(error) for error in _validator().iter_errors(document.plain())]
    if errors:
        raise min((_told(document, error) for error in errors), key=lambda mistake: mistake.line)


@cache
def _validator() -> Any:
    return Draft202012Validator(msgspec.json.decode(SCHEMA.read_bytes()))


def _innermost(error: _Error) -> _Error:
    """Where a value may be written in several ways, the mistake in the way that it is written."""
    while error.validator == "anyOf":
        ways: dict[object, list[_Error]] = {}
        for inner in error.context or ():
            ways.setdefault(inner.schema_path[0], []).append(inner)
        meant = [found for found in ways.values() if not any(_is_of_another_kind(inner) for inner in found)]
        if len(meant) != 1:
            return error
        error = meant[0][0]
    return error


def _is_of_another_kind(error: _Error) -> bool:
    """The value itself, not something in it, is of a kind that this way does not have."""
    if error.relative_path:
        return False
    return error.validator == "type" or (error.validator == "enum" and not isinstance(error.instance, str))


def _told(document: Located, error: _Error) -> MappingError:
    path = list(error.absolute_path)
    at, line = _place(document, path)
    name = _name(path)
    tell = _TOLD.get(str(error.validator), _unspecific)
    for key, sentence in tell(name, error):
        if key is not None and isinstance(at.value, dict) and key in at.key_lines:
            return at.mistake_at(key, sentence)
        return MappingError(document.file, line, sentence)
    return MappingError(document.file, line, f"{name} is not as the schema has it")


def _place(document: Located, path: Sequence[str | int]) -> tuple[Located, int]:
    """What stands at the path, and the line of its key."""
    at, line = document, document.line
    for step in path:
        line = at.key_lines[step] if isinstance(step, str) else at.value[step].line
        at = at.value[step]
    return at, line


def _name(path: Sequence[str | int]) -> str:
    """`rules[0].map.score` as `score of map`, short enough for a sentence."""
    keys = [str(step) for step in path if isinstance(step, str)]
    return " of ".join(reversed(keys[-2:])) or "the document"


_Told = Iterable[tuple[str | None, str]]


def _unknown_key(name: str, error: _Error) -> _Told:
    known = list(error.schema.get("properties", ()))
    for key in error.instance:
        if key not in known:
            yield key, f"{name} has no key {key[:40]!r}: {suggest(key, known)}"


def _missing(name: str, error: _Error) -> _Told:
    for key in error.validator_value:
        if key not in error.instance:
            yield None, f"{name} has no {key}: add `{key}: …`"


def _no_choice(name: str, error: _Error) -> _Told:
    known = [str(one) for one in error.validator_value]
    yield None, f"{name}: {str(error.instance)[:60]!r} is unknown: {suggest(str(error.instance), known)}"


def _wrong_kind(name: str, error: _Error) -> _Told:
    yield None, f"{name} must be {_KINDS.get(str(error.validator_value), error.validator_value)}"


def _any_of(name: str, error: _Error) -> _Told:
    kinds = [
        _KINDS.get(str(way.get("type")), "one of the words that are known")
        for way in (_followed(one) for one in error.validator_value)
    ]
    yield None, f"{name} must be {', or '.join(kinds)}"


def _followed(way: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in way:
        return way
    found: dict[str, Any] = _validator().schema["$defs"][way["$ref"].rpartition("/")[2]]
    return found


def _out_of_bounds(name: str, error: _Error) -> _Told:
    keyword = str(error.validator)
    of = "characters" if keyword.endswith("Length") else "entries" if keyword.endswith(("Items", "Properties")) else ""
    bound = f"at {'least' if keyword.startswith('min') else 'most'} {error.validator_value}"
    yield None, f"{name} must {'have' if of else 'be'} {bound} {of}".rstrip()


def _pattern(name: str, error: _Error) -> _Told:
    what = error.schema.get("description", "letters, digits and hyphens")
    yield None, f"{name}: {str(error.instance)[:60]!r} cannot be: {what}"


def _unspecific(name: str, error: _Error) -> _Told:
    yield None, f"{name}: {error.message[:200]}"


_BOUNDS = [f"{end}{of}" for end in ("min", "max") for of in ("Length", "Items", "imum", "Properties")]
_TOLD: dict[str, Callable[[str, _Error], _Told]] = {
    "additionalProperties": _unknown_key,
    "required": _missing,
    "enum": _no_choice,
    "type": _wrong_kind,
    "anyOf": _any_of,
    "pattern": _pattern,
    **dict.fromkeys(_BOUNDS, _out_of_bounds),
}
