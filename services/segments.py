"""An answer leaves in one segment: what is written in one turn of the event loop is sent with one system call.

uvicorn writes the head and the body of an answer apart, and uvloop sends each at once; for small answers that second
call costs as much as a fifth of the request.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# So much is sent without waiting for the turn's end: or who writes on and on would not be told to pause.
_MOST_BYTES = 64 * 1024


class OneSegment(HttpToolsProtocol):
    """uvicorn's own protocol; only its transport is another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.gathering = GatheringTransport(cast(asyncio.Transport, transport))
        super().connection_made(cast(asyncio.Transport, self.gathering))


class GatheringTransport:
    """`transport`, whose writes wait for the end of the turn; all else goes straight to it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing  # asked once an answer
        self._loop = asyncio.get_running_loop()
        self._waiting: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= _MOST_BYTES:
            self._flush()

    def send(self, whole: bytes) -> None:
        """What nothing will be added to need not wait for it."""
        if self._waiting:
            self.write(whole)
        elif not self.is_closing():
            self._transport.write(whole)

    def writelines(self, data: Iterable[bytes]) -> None:
        for part in data:
            self.write(part)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        waiting, self._waiting, self._size = self._waiting, [], 0
        if waiting and not self.is_closing():
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
