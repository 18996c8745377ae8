"""Traces as a port. What is caused by a span carries its `traceparent` (W3C), also through the log.

Spans carry ids, counts and codes, never what a person wrote or is called.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

Kind = Literal["internal", "server", "client", "consumer"]
Attributes = Mapping[str, str | int]


class Span(Protocol):
    """Something under way. `began` is nanoseconds since 1970."""

    traceparent: str | None
    began: int

    def end(self, attributes: Attributes | None = None, *, failed: bool = False) -> None: ...


class Tracing(Protocol):
    on: bool

    def start(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        caused_by: str | None = None,
        links: Sequence[str | None] = (),
        began: int | None = None,
    ) -> Span:
        """Without a `caused_by` that is valid it begins a trace; `began` None is now. Invalid links are left out."""
        ...

    async def close(self) -> None:
        """Send what is left, in a second or two at most."""
        ...


class _Nothing:
    """Stands for every span, and for their recording, where nothing is recorded."""

    on = False
    traceparent: str | None = None
    began = 0

    def start(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        caused_by: str | None = None,
        links: Sequence[str | None] = (),
        began: int | None = None,
    ) -> Span:
        return self

    def end(self, attributes: Attributes | None = None, *, failed: bool = False) -> None:
        pass

    async def close(self) -> None:
        pass


UNTRACED: Tracing = _Nothing()
