"""A request's body, read whole under a cap, a deadline, and a share of what the process holds at once."""

import asyncio
from collections.abc import Generator, Mapping
from types import coroutine
from typing import Any, cast

from starlette.types import Receive

from services.ingest.limits import BytesAtOnce
from shared.problems import Refusal

READ_SECONDS = 15.0
_CLOSE = {"Connection": "close"}  # what follows on this connection would be the rest of the body
# Closing on a sender in the middle of a body can cost it the answer: so much of a rest the server lets pass instead.
_PASSED_OVER_BYTES = 8 * 1024 * 1024


class Disconnected(Exception):  # noqa: N818 - the client went away; there is nobody to answer
    pass


@coroutine
def _rest(steps: Generator[Any, Any, bytes], waits_for: Any) -> Generator[Any, Any, bytes]:
    """What is left of an awaitable whose first step came to wait for something."""
    try:
        while True:
            try:
                happened = yield waits_for
            except BaseException as error:
                waits_for = steps.throw(error)
            else:
                waits_for = steps.send(happened)
    except StopIteration as end:
        return cast(bytes, end.value)


class BodyReading:
    """`held` bytes are taken from the process's share until they are given back with `release`."""

    def __init__(self, at_once: BytesAtOnce, max_bytes: int) -> None:
        self.held = 0
        self._at_once = at_once
        self._max_bytes = max_bytes

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """Refusal (408, 413, 503) as soon as it is certain; Disconnected when the body will never be whole."""
        self._check_declared(headers)
        steps = self._chunks(receive).__await__()
        try:
            waits_for = next(steps)
        except StopIteration as whole:  # nearly always: a deadline would cost more than the reading
            return cast(bytes, whole.value)
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await _rest(steps, waits_for)
        except TimeoutError as error:
            detail = f"the body did not arrive within {READ_SECONDS:g} seconds: send it again"
            raise Refusal(408, "too_slow", detail, headers=_CLOSE) from error

    def take(self, headers: Mapping[bytes, bytes], body: bytes) -> bytes:
        """One that is there already, so as long as it says; Refusal (413, 503)."""
        if len(body) > self._max_bytes:
            self._check_declared(headers)
        self._take(len(body))
        return body

    def _check_declared(self, headers: Mapping[bytes, bytes]) -> None:
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and (length := int(declared[:20])) > self._max_bytes:
            raise self._too_large({} if length <= _PASSED_OVER_BYTES else _CLOSE)

    async def _chunks(self, receive: Receive) -> bytes:
        chunks = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk: bytes = message.get("body", b"")
            self._take(len(chunk))
            chunks.append(chunk)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _take(self, size: int) -> None:
        if self.held + size > self._max_bytes:
            raise self._too_large(_CLOSE)
        if not self._at_once.take(size):
            raise Refusal(
                503, "overloaded", "too much is being sent at once: try again", headers={**_CLOSE, "Retry-After": "1"}
            )
        self.held += size

    def _too_large(self, headers: Mapping[str, str]) -> Refusal:
        detail = f"the body has more than {self._max_bytes} bytes: send fewer or smaller events"
        return Refusal(413, "too_large", detail, headers=headers)

    def release(self) -> None:
        self._at_once.give_back(self.held)
        self.held = 0
