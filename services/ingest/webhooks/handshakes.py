"""Handshakes: requests that only ask whether somebody is here, and want a certain answer. They make no events."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from services.ingest.mapping.applying import RowError, value_of
from services.ingest.mapping.expressions import Expression
from services.ingest.mapping.interpreter import Interpreter, is_true
from services.ingest.mapping.payload_functions import spelled
from services.ingest.mapping.sections import Section

LONGEST_ANSWER = 4_096
_CONTROL = frozenset(map(chr, (*range(32), *range(127, 160))))


@dataclass(frozen=True)
class Reply:
    """What is answered; header values hold no line breaks, the body at most `LONGEST_ANSWER` characters."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    media: str


@dataclass(frozen=True)
class Handshake:
    """`verified`: only a delivery whose signature holds may ask. `body` overrides how the document reads bodies."""

    method: str
    when: Expression | None
    verified: bool
    body: str | None
    status: int
    headers: tuple[tuple[str, Expression], ...]
    text: Expression | None
    json: Expression | None

    def reply(self, scope: Mapping[str, Any]) -> Reply | None:
        """None where this is not what is asked, or where it cannot be answered."""
        interpreter = Interpreter()
        try:
            if self.when is not None and not is_true(value_of("when", self.when, interpreter, scope)):
                return None
            headers = {name: _shown(value_of(name, one, interpreter, scope)) for name, one in self.headers}
            return Reply(self.status, headers, *self._content(interpreter, scope))
        except (RowError, ValueError):
            return None

    def _content(self, interpreter: Interpreter, scope: Mapping[str, Any]) -> tuple[bytes, str]:
        if self.json is not None:
            encoded = msgspec.json.encode(value_of("json", self.json, interpreter, scope))
            if len(encoded) > LONGEST_ANSWER:
                raise ValueError("the answer is too long")
            return encoded, "application/json"
        if self.text is None:
            return b"", ""
        return _shown(value_of("text", self.text, interpreter, scope)).encode(), "text/plain; charset=utf-8"


def compile_handshakes(document: Section, compile_expression: Callable[[str], Expression]) -> tuple[Handshake, ...]:
    """Raises `MappingError`."""
    if not document.has("handshake"):
        return ()
    return tuple(_compile(entry, compile_expression) for entry in document.sections("handshake"))


def _compile(section: Section, compile_expression: Callable[[str], Expression]) -> Handshake:
    def optional(of: Section, name: str) -> Expression | None:
        return of.expression(name, compile_expression) if of.has(name) else None

    plain = section.content.plain()
    answer = section.section("answer")
    headers = answer.section("headers") if answer.has("headers") else None
    method = plain.get("method", "POST")
    if method == "POST" and not section.has("when"):
        raise section.content.mistake("a handshake by POST needs a `when`: else every delivery is one")
    return Handshake(
        method=method,
        when=optional(section, "when"),
        verified=plain.get("verified", False),
        body=plain.get("body"),
        status=plain["answer"].get("status", 200),
        headers=tuple((name, headers.expression(name, compile_expression)) for name in headers.names())
        if headers
        else (),
        text=optional(answer, "text"),
        json=optional(answer, "json"),
    )


def _shown(value: Any) -> str:
    """Text that can stand in a header. Raises ValueError."""
    text = "" if value is None else spelled(value)
    if len(text) > LONGEST_ANSWER or not _CONTROL.isdisjoint(text):
        raise ValueError("holds characters that no answer may hold")
    return text
