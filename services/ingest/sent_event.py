"""An event as its sender sent it: a CloudEvents 1.0 object, or `ce-` headers with the data as the body."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import astuple

from services.ingest.json_flaws import WHOLE, check_depth, check_utf8, flaw, too_deep
from services.ingest.mistakes import mistake
from shared.events.feedback import Answer
from shared.events.fields import EventError, Instant, Name, Revision, check_characters, may_hold_controls

MAX_EVENT_BYTES = 256 * 1024

_ATTRIBUTES = ("specversion", "id", "source", "type", "time", "revision")


class Attributes(Struct):
    """Known attributes; a null one counts as left out, as CloudEvents has it. Others are ignored."""

    specversion: str
    id: Name
    source: Name
    type: Name
    time: Instant | None = None
    revision: Revision | None = None


class SentEvent(Attributes, kw_only=True):
    data: Raw


class EscapedEvent(SentEvent, kw_only=True):
    """One whose document has escapes or control characters somewhere: what its `data` says has to be looked at."""


_decode = msgspec.json.Decoder(SentEvent).decode


class AnswerEvent(Struct, gc=False):
    """A customer's answer with its data, as nearly all events are."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Literal["feedback.received.v1", "feedback.updated.v1"]
    data: Answer
    time: Instant | None = None
    revision: Revision | None = None


_decode_answer = msgspec.json.Decoder(AnswerEvent).decode


def is_plain(body: bytes) -> bool:
    """Whether it is UTF-8 without escapes, control characters and byte order marks: so is each event in it, then."""
    if body.isascii():
        return b"\\" not in body and b"\x7f" not in body
    if may_hold_controls(body):
        return False
    try:
        return "\ufeff" not in body.decode()
    except UnicodeDecodeError:
        return False


def from_document(document: bytes, *, plain: bool = False) -> SentEvent:
    """EventError for what is no event: not JSON, too large, too deep, an attribute missing or of the wrong kind.

    `plain` when the body that it came in was seen to be: once for a batch costs less than for each event.
    """
    check_size(document)
    if not plain:
        check_utf8(document)
    try:
        event = _decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise explained(error, document, "", SentEvent) from error
    check_depth(document)
    if plain or not may_hold_controls(document):
        return event
    check_characters({"id": event.id, "source": event.source}, "")
    return EscapedEvent(*astuple(event)[:-1], data=event.data)


def answer_from(document: bytes) -> AnswerEvent | None:
    """A plain document decoded in one pass, which costs two thirds of decoding the event and then its data.

    None where it is no answer, or anything is not as it should be: `from_document` says what.
    """
    if len(document) > MAX_EVENT_BYTES or b'"feedback.' not in document:
        return None
    try:
        event = _decode_answer(document)
    except (msgspec.DecodeError, RecursionError):
        return None
    check_depth(document)
    return event


def answers_from(documents: Sequence[bytes]) -> list[AnswerEvent] | None:
    """The same for the documents of a plain body; None where one of them is not an answer as it should be."""
    if b'"feedback.' not in documents[0] or len(max(documents, key=len)) > MAX_EVENT_BYTES:
        return None
    try:
        return [_decode_answer(document) for document in documents]
    except (msgspec.DecodeError, RecursionError):
        return None


def from_headers(headers: Mapping[bytes, bytes], body: bytes) -> SentEvent:
    """The binary mode: percent-decoded headers carry the attributes, the body is `data`."""
    check_size(body)
    check_utf8(body)
    attributes = {name: _header(name, value) for name in _ATTRIBUTES if (value := headers.get(b"ce-" + name.encode()))}
    try:
        known = msgspec.convert(attributes, Attributes)
    except msgspec.ValidationError as error:
        raise mistake(error, "", Attributes) from error
    check_characters({"id": known.id, "source": known.source}, "")
    check_depth(body)
    return EscapedEvent(*astuple(known), data=Raw(body))


def check_size(document: bytes) -> None:
    if len(document) > MAX_EVENT_BYTES:
        raise EventError(WHOLE, "too_large", f"an event has at most {MAX_EVENT_BYTES} bytes: shorten its text")


def explained(error: Exception, document: bytes, root: str, struct: type[Struct]) -> EventError:
    """Why `document`, which stands at `root` of the event, was not decoded into `struct`."""
    if isinstance(error, RecursionError):
        return too_deep()
    if (found := flaw(document, root)) is not None:
        return found
    if isinstance(error, msgspec.ValidationError):
        return mistake(error, root, struct)
    return EventError(WHOLE, "not_json", f"not JSON: {error}")


def _header(name: str, value: bytes) -> str | int:
    if value.startswith(b'"') and value.endswith(b'"') and len(value) > 1:
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    try:
        text = unquote_to_bytes(value).decode()
    except UnicodeDecodeError as error:
        raise EventError(name, "not_percent_encoded", f"the header ce-{name} is not percent-encoded UTF-8") from error
    return int(text) if name == "revision" and re.fullmatch(r"\d{1,16}", text, re.ASCII) else text
