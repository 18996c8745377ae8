"""A delivery's body as what expressions read: `root`. Whatever a body holds, it is read or refused by name."""

from collections.abc import Callable
from typing import Any

import msgspec

from services.ingest.json_flaws import MAX_DEPTH, WHOLE, check_utf8, too_deep
from services.ingest.mapping.reading import Each, Parts, is_object
from services.ingest.sent_event import explained
from services.ingest.webhooks.cloudevents import cloud_events
from services.ingest.webhooks.request import Request
from shared.events.fields import EventError

ReadJson = Callable[[bytes], Any]
ReadParts = Callable[[bytes], Any | None]
MAX_BODY_BYTES = 512 * 1024
_NESTED = frozenset((dict, list))
_WHOLE_BODY = frozenset(("root", "item"))  # these names are the body itself
_decode = msgspec.json.Decoder().decode


class _Anything(msgspec.Struct):
    """What a mistake in JSON is explained by: no field is expected."""


def read_body(kind: str, request: Request, read: ReadJson | None = None) -> Any:
    """`kind` is json, form, cloudevents, or `form_field:NAME` for JSON in a field. Raises `EventError`.

    `read` is how a body of JSON is read, where not the whole of it is wanted.
    """
    if kind == "json":
        return (read or read_json)(request.body)
    if kind == "cloudevents":
        return {"events": cloud_events(request, read_json)}
    form = _form(request)
    if kind == "form":
        return form
    field = form.get(kind.partition(":")[2])
    if not isinstance(field, str):
        raise EventError(WHOLE, "not_a_form", f"the form has no field {kind.partition(':')[2]!r} with JSON")
    return read_json(field.encode())


def read_json(document: bytes) -> Any:
    """Integers of any size the decoder knows stay integers: ids above 2^53 are not rounded."""
    check_utf8(document)
    try:
        value = _decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise explained(error, document, "", _Anything) from error
    if _is_too_deep(value):
        raise too_deep()
    return value


def reader_of(parts: Parts) -> ReadJson:
    """Of an object only these parts are made, null where it has none: the rest costs no more than to be looked at.

    What is no such object is read whole, which says what is wrong with it. How deep a field is nested is told where an
    event holds it; the decoder itself ends at the depth at which anything could.
    """
    if _is_whole(parts):
        return read_json
    assert is_object(parts)
    decoders = [msgspec.json.Decoder(_type(one)).decode for one in (parts, dict.fromkeys(parts))]

    def read(document: bytes) -> Any:
        check_utf8(document)
        for decode in decoders:  # the second where a part is of another kind than the expressions want
            try:
                return msgspec.to_builtins(decode(document))
            except (msgspec.DecodeError, RecursionError):
                continue
        return read_json(document)

    return read


def parts_reader(parts: Parts) -> ReadParts:
    """The same parts as the decoder makes them, which costs less than dicts; None where one is of another kind.

    What is no such object at all is None too. Raises `EventError` for what is not UTF-8.
    """
    if _is_whole(parts):
        return lambda document: None
    decode = msgspec.json.Decoder(_type(parts)).decode

    def read(document: bytes) -> Any:
        check_utf8(document)
        try:
            return decode(document)
        except (msgspec.DecodeError, RecursionError):
            return None

    return read


def _is_whole(parts: Parts) -> bool:
    return not is_object(parts) or bool(parts.keys() & _WHOLE_BODY)


def _type(parts: Parts) -> Any:
    """What the decoder makes these parts in: null for what is missing, also where there is no object or list."""
    if isinstance(parts, Each):
        return list[_type(parts.element)] | None  # type: ignore[misc]
    if not is_object(parts):
        return Any
    named = [
        (f"_{at}", _type(inner), msgspec.field(default=None, name=name))
        for at, (name, inner) in enumerate(parts.items())
    ]
    return msgspec.defstruct("Read", named, gc=False) | None


def _is_too_deep(value: Any) -> bool:
    """Level by level; what has been decoded costs less to walk than its text."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for item in level
            if type(item) in _NESTED
            for inner in (item.values() if type(item) is dict else item)
            if type(inner) in _NESTED
        ]
        if not level:
            return False
    return True


def _form(request: Request) -> dict[str, str | list[str]]:
    """Text for a field that stands there once, else a list."""
    found: dict[str, list[str]] = {}
    try:
        for name, value in request.form:
            found.setdefault(name, []).append(value)
    except ValueError as error:
        raise EventError(WHOLE, "too_many", "the form has too many fields") from error
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
