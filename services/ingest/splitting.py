"""A body as the events in it, each still as it was sent; whole-body mistakes are found here."""

import re
from io import BytesIO
from itertools import islice

import msgspec
from msgspec import Raw

from services.ingest.json_flaws import WHOLE, check_utf8, elements, too_deep
from services.ingest.media import Form
from shared.events.fields import EventError

MAX_BATCH_BYTES = 5 * 1024 * 1024
MAX_BATCH_EVENTS = 1_000

# Bytes of so many tiny elements must not become as many objects: beyond, elements are counted as they are found.
_MANY_COMMAS = 100_000
SPACE = b" \t\r\n"
_LINE = re.compile(rb"[^\n]+")
_array = msgspec.json.Decoder(list[Raw])


def is_batch(form: Form, body: bytes) -> bool:
    if form is Form.ONE_OR_ARRAY:
        return body.lstrip(SPACE)[:1] == b"["
    return form in (Form.ARRAY, Form.LINES)


def split(form: Form, body: bytes) -> list[bytes]:
    """The events of a batch, perhaps with `SPACE` around them. EventError: not an array, empty, too many."""
    found = _lines(body) if form is Form.LINES else _elements(body)
    if not found:
        raise EventError(WHOLE, "empty_batch", "a batch holds at least one event")
    if len(found) > MAX_BATCH_EVENTS:
        raise EventError(WHOLE, "too_many", f"a batch has at most {MAX_BATCH_EVENTS} events: send several")
    return found


def _lines(body: bytes) -> list[bytes]:
    """Lines that are not blank: an event's index counts these."""
    lines = list(islice(BytesIO(body), MAX_BATCH_EVENTS + 1))  # which finds their ends five times as fast as split
    if len(lines) <= MAX_BATCH_EVENTS:
        return [line for line in lines if line.strip(SPACE)] if any(map(bytes.isspace, lines)) else lines
    return _among_many_lines(body)


def _among_many_lines(body: bytes) -> list[bytes]:
    """Most may be blank: each is looked at before the next is found."""
    found: list[bytes] = []
    for line in _LINE.finditer(body):
        if stripped := line[0].strip(b" \t\r"):
            found.append(stripped)
            if len(found) > MAX_BATCH_EVENTS:
                break
    return found


def _elements(body: bytes) -> list[bytes]:
    check_utf8(body)
    if body.count(b",") > _MANY_COMMAS:
        return elements(body, MAX_BATCH_EVENTS)
    try:
        return [bytes(raw) for raw in _array.decode(body)]
    except RecursionError as error:
        raise too_deep() from error
    except msgspec.ValidationError as error:
        raise EventError(WHOLE, "wrong_type", "a batch is a JSON array of events") from error
    except msgspec.DecodeError:
        return elements(body, MAX_BATCH_EVENTS)  # one flawed event must not cost the others
