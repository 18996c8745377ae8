"""What is wrong with JSON that the fast decoder refuses, in words that name the field. Slow, and only for refusals.

Python's own parser reads more than JSON allows (NaN, half of a surrogate pair): so it can say where they stand.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from shared.events.fields import EventError

MAX_DEPTH = 32
WHOLE = "event"  # the field named when no single field is at fault

_LONGEST_PATH = 200
_NESTED = f"lists and objects are nested more than {MAX_DEPTH} deep: flatten them"
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"[ \t\n\r]*")


class _NotANumber(NamedTuple):
    name: str


# Numbers of any size are fine here, so none is made: what they may be is the business of their field.
_tolerant = json.JSONDecoder(parse_int=lambda _: 0, parse_float=lambda _: 0.0, parse_constant=_NotANumber)


def check_utf8(document: bytes) -> None:
    """EventError when the bytes are not UTF-8, or begin with a byte order mark."""
    if document.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise EventError(WHOLE, "not_utf8", "starts with a byte order mark: send UTF-8 without one")
    if document.isascii():
        return
    try:
        document.decode()
    except UnicodeDecodeError as error:
        raise EventError(WHOLE, "not_utf8", f"not UTF-8 at byte {error.start}") from error


def check_depth(document: bytes) -> None:
    """EventError when well-formed JSON is nested too deep."""
    if b"[" not in document and document.find(b"{", document.find(b"{", 1) + 1) < 0:
        return  # most events: one object in another, and no list
    if document.count(b"{") + document.count(b"[") <= MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", document).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"[]", b"")  # the innermost level of every branch
        if not brackets:
            return
    raise too_deep()


def are_shallow(body: bytes, documents: Sequence[bytes]) -> bool:
    """Whether no document of the body can be nested too deep, when each has two objects or more; a look at them all.

    What two objects each leave over could all be nested in one.
    """
    seconds, lasts = [one.find(b"{", 1) for one in documents], [one.rfind(b"{") for one in documents]
    if seconds == lasts and b"[" not in body:
        return True  # as most: one object in another, and no list
    return body.count(b"[") + body.count(b"{") - 2 * (len(documents) - 1) <= MAX_DEPTH


def too_deep() -> EventError:
    return EventError(WHOLE, "too_deep", _NESTED)


def flaw(document: bytes, root: str = "") -> EventError | None:
    """Why `document` (UTF-8) is not JSON; None when it is. `root` is the path of what the document holds."""
    try:
        return next(_flaws(_tolerant.decode(document.decode()), root), None)
    except RecursionError:
        return too_deep()
    except json.JSONDecodeError as error:
        return _not_json(error)


def _not_json(error: json.JSONDecodeError) -> EventError:
    if not error.doc.strip():
        return EventError(WHOLE, "not_json", "empty: send a JSON object")
    position = len(error.doc[: error.pos].encode())
    return EventError(WHOLE, "not_json", f"not JSON at byte {position}: {error.msg}")


def _flaws(value: Any, path: str) -> Iterator[EventError]:
    match value:
        case _NotANumber(name):
            yield EventError(_named(path), "not_finite", f"{name} is no number in JSON: leave the field out")
        case str() if _SURROGATE.search(value):
            yield EventError(
                _named(path), "not_unicode", "half of a surrogate pair (\\ud800 to \\udfff) is no character"
            )
        case dict():
            for key, inner in value.items():
                yield from _flaws(key, path)
                yield from _flaws(inner, f"{path}.{key}" if path else key)
        case list():
            for index, inner in enumerate(value):
                yield from _flaws(inner, f"{path}[{index}]")


def _named(path: str) -> str:
    return path[:_LONGEST_PATH] or WHOLE


def elements(document: bytes, limit: int) -> list[bytes]:
    """The elements of a JSON array as they stand, flawed ones too, at most one more than `limit`.

    EventError where that is no array of anything.
    """
    text = document.decode()
    found: list[bytes] = []
    try:
        start = _after(text, 0, "[")
        while len(found) <= limit:
            _, end = _tolerant.raw_decode(text, start)
            found.append(text[start:end].encode())
            start = _SPACE.match(text, end).end()  # type: ignore[union-attr] # it matches nothing, too
            if text[start : start + 1] == "]":
                _after(text, start, "]", at_end=True)
                return found
            start = _after(text, start, ",")
    except RecursionError as error:
        raise too_deep() from error
    except json.JSONDecodeError as error:
        raise _not_json(error) from error
    return found


def _after(text: str, position: int, mark: str, at_end: bool = False) -> int:
    """The place after `mark` and the space around it; `at_end` when nothing else may follow."""
    found = re.compile(rf"[ \t\n\r]*\{mark}[ \t\n\r]*").match(text, position)
    if found is None:
        raise json.JSONDecodeError(f"Expecting '{mark}'", text, position)
    if at_end and found.end() != len(text):
        raise json.JSONDecodeError("Extra data", text, found.end())
    return found.end()
