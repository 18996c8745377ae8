"""A request of the hot path that arrived whole is answered inside the HTTP protocol, without ASGI's messages.

Everything else goes uvicorn's way, and both ways end in the same function: the same request gets the same bytes. What
this relies on of uvicorn's protocol stands in decision 0032 and in the tests, which fail when it changes.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol, cast, runtime_checkable

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from services.segments import OneSegment
from services.underway import Steps, Underway, Whole

# A body in several reads is waited for so long, up to so many bytes: batches of a hundred come in two or three.
_REST_SECONDS = 0.05
_GATHERED_BYTES = 256 * 1024

Answers = Callable[[Scope, Receive | bytes], Steps]


@runtime_checkable
class Hot(Protocol):
    """Who knows what answers POST on a path, as it stands in the request; None where that goes the long way."""

    def answering(self, url: bytes) -> Answers | None: ...


class _Beginnings:
    """What answers begin with: the status, and the server's own headers, which change once a second."""

    def __init__(self) -> None:
        self._headers: Sequence[tuple[bytes, bytes]] = ()
        self._known: dict[int, bytes] = {}

    def of(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        if headers is not self._headers:
            self._headers, self._known = headers, {}
        found = self._known.get(status)
        if found is None:
            found = self._known[status] = STATUS_LINE[status] + _lines(headers)
        return found


def _lines(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class Direct(OneSegment):
    """`_parts` is the body so far of a request that may be answered directly; None for one that goes the long way."""

    def __init__(self, hot: Hot, beginnings: _Beginnings, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._hot = hot
        self._beginnings = beginnings
        self._answers: Answers | None = None
        self._parts: list[bytes] | None = None
        self._waited_for: asyncio.TimerHandle | None = None
        self._rests_since: float | None = None
        self._look_at_rest: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._waited_for, self._look_at_rest):
            if timer is not None:
                timer.cancel()

    def shutdown(self) -> None:
        if self._parts is not None:
            self._go_the_long_way()  # which waits for the rest of the body
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        self._rests_since = None
        super().data_received(data)
        if self._parts is not None and self._waited_for is None:
            self._wait_for_the_rest()

    def _wait_for_the_rest(self) -> None:
        declared = next((value for name, value in self.headers if name == b"content-length"), b"")
        if declared.isdigit() and int(declared) <= _GATHERED_BYTES:
            self._waited_for = self.loop.call_later(_REST_SECONDS, self._go_the_long_way)
        else:
            self._go_the_long_way()

    def on_message_begin(self) -> None:
        """What uvicorn makes here, only the long way needs."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        self._answers = self._hot.answering(self.url)
        if self._answers and self._is_plain():
            self._parts = []
        else:
            self._begin_the_long_way()

    def _begin_the_long_way(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
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
        self._wait_no_more()
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        scope = {
            "type": "http",
            "method": "POST",
            "query_string": b"",
            "path": self.url.decode("ascii"),
            "headers": self.headers,
        }
        cycle: Any = Underway(self._answers(scope, body), self.parser.should_keep_alive(), self._answered)
        self.cycle = cycle
        self.tasks.add(cycle)
        self.loop.call_soon(cycle.step)

    def _go_the_long_way(self) -> None:
        """The rest of the body is still to come, or never will."""
        parts, self._parts = self._parts or [], None
        self._wait_no_more()
        self._begin_the_long_way()
        for part in parts:
            super().on_body(part)

    def _wait_no_more(self) -> None:
        if self._waited_for is not None:
            self._waited_for.cancel()
            self._waited_for = None

    def _answered(self, cycle: Underway, answer: Whole | None) -> None:
        self.tasks.discard(cast(Any, cycle))
        if self.parser is None:  # the connection has gone
            return
        if answer is None:
            self.transport.close()
        else:
            self._write(cycle, answer)

    def _write(self, cycle: Underway, answer: Whole) -> None:
        lines = getattr(answer, "lines", None) or _lines(answer.raw_headers)
        if b"connection: close\r\n" in lines:
            cycle.keep_alive = False
        elif not cycle.keep_alive:
            lines += b"connection: close\r\n"
        beginning = self._beginnings.of(answer.status_code, self.server_state.default_headers)
        self.gathering.send(b"".join((beginning, lines, b"\r\n", answer.body)))
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        if self.pipeline:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._rest()

    def _rest(self) -> None:
        """One timer a connection: uvicorn makes and cancels one a request, which is 2 of some 60 us."""
        self._rests_since = self.loop.time()
        if self._look_at_rest is None:
            self._look_at_rest = self.loop.call_later(self.timeout_keep_alive, self._close_if_at_rest)

    def _close_if_at_rest(self) -> None:
        self._look_at_rest = None
        if self._rests_since is None:
            return  # a request is under way, after which it rests anew
        left = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_at_rest = self.loop.call_later(left, self._close_if_at_rest)
        else:
            self.timeout_keep_alive_handler()


def protocol(hot: Hot | None) -> Callable[..., OneSegment]:
    """What uvicorn makes for every connection."""
    return partial(Direct, hot, _Beginnings()) if hot else OneSegment
