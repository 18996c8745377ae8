"""A request of the hot path that arrived whole is answered inside the HTTP protocol, without ASGI's messages.

Everything else goes uvicorn's way, and both ways end in the same function: the same request gets the same bytes. What
this relies on of uvicorn's protocol stands in decision 0032 and in the tests, which fail when it changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from services.segments import OneSegment


class Whole(Protocol):
    """An answer that is there as a whole; so are Starlette's, and every one is an ASGI application too."""

    status_code: int

    @property
    def raw_headers(self) -> Sequence[tuple[bytes, bytes]]: ...

    @property
    def body(self) -> bytes | memoryview: ...


Answers = Callable[[Scope, Receive | bytes], Awaitable[Whole | None]]  # None where nobody is left to be answered


@runtime_checkable
class Hot(Protocol):
    """Who knows what answers POST on a path, as it stands in the request; None where that goes the long way."""

    def answering(self, url: bytes) -> Answers | None: ...


class _Unheard:
    def set(self) -> None:
        """Nobody waits for messages."""


class _Cycle:
    """What uvicorn's protocol asks and tells the request that is being answered."""

    message_event = _Unheard()

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.response_complete = False


class _Given(NamedTuple):
    """A request that came in whole."""

    cycle: _Cycle
    answers: Answers
    url: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Direct(OneSegment):
    """`_parts` is the body so far of a request that may be answered directly; None for one that goes the long way.

    One task answers all of a connection's: to make one for each would cost more than parsing it.
    """

    def __init__(self, hot: Hot, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._hot = hot
        self._answers: Answers | None = None
        self._parts: list[bytes] | None = None
        self._task: asyncio.Task[None] | None = None
        self._given: asyncio.Future[_Given] = self.loop.create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._given.cancel()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._parts is not None:
            self._go_the_long_way()

    def on_headers_complete(self) -> None:
        self._answers = self._hot.answering(self.url)
        if self._answers and self._is_plain():
            self._parts = []
        else:
            super().on_headers_complete()

    def _is_plain(self) -> bool:
        parser, cycle = self.parser, self.cycle
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and (cycle is None or cycle.response_complete)
            and not self.expect_100_continue
            and not parser.should_upgrade()
            and not self.flow.write_paused
        )

    def on_body(self, body: bytes) -> None:
        if self._parts is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        parts, self._parts = self._parts, None
        if parts is None or self._answers is None:
            super().on_message_complete()
            return
        cycle: Any = _Cycle(self.parser.should_keep_alive())
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self.cycle = cycle
        if self._task is None:
            self._task = self.loop.create_task(self._answer_all())
        self.tasks.add(self._task)
        self._given.set_result(_Given(cycle, self._answers, self.url, self.headers, body))

    def _go_the_long_way(self) -> None:
        """The rest of the body is still to come, or never will."""
        parts, self._parts = self._parts or [], None
        super().on_headers_complete()
        for part in parts:
            super().on_body(part)

    async def _answer_all(self) -> None:
        scope = {"type": "http", "method": "POST", "query_string": b""}
        while self.parser is not None:  # as long as there is a connection
            cycle, answers, url, headers, body = await self._given
            self._given = self.loop.create_future()
            try:
                answer = await answers({**scope, "path": url.decode("ascii"), "headers": headers}, body)
            finally:
                self.tasks.discard(self._task)
            if answer is not None:
                self._write(cycle, answer)

    def _write(self, cycle: _Cycle, answer: Whole) -> None:
        headers = [*self.server_state.default_headers, *answer.raw_headers]
        if (b"connection", b"close") in headers:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            headers.append((b"connection", b"close"))
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join((STATUS_LINE[answer.status_code], *lines, b"\r\n", answer.body)))
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


def protocol(hot: Hot | None) -> Callable[..., OneSegment]:
    """What uvicorn makes for every connection."""
    return partial(Direct, hot) if hot else OneSegment
