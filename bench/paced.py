"""Single POSTs at a steady rate over a few connections, each with the moment it was sent and was answered."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from bench.load import is_whole

CONNECTIONS = 32


class _Connection(asyncio.Protocol):
    """One request at a time; goes back to `idle` when it was answered."""

    def __init__(self, idle: "asyncio.Queue[_Connection]") -> None:
        self._idle = idle
        self._answer = b""
        self._answered: Callable[[float], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._idle.put_nowait(self)

    def post(self, request: bytes, answered: Callable[[float], None]) -> None:
        self._answered = answered
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not is_whole(self._answer):
            return
        if not self._answer.startswith(b"HTTP/1.1 202"):
            raise RuntimeError(self._answer.decode(errors="replace"))
        self._answer = b""
        self._answered(time.time())
        self._idle.put_nowait(self)


async def post(port: int, key: str, bodies: list[bytes], rate: float) -> list[tuple[float, float]]:
    """For each body when it was sent and answered, in seconds since 1970. A late one does not make the next late."""
    idle: asyncio.Queue[_Connection] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: _Connection(idle), "127.0.0.1", port)
    head = f"POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n".encode()
    sent, answered = [0.0] * len(bodies), [0.0] * len(bodies)
    start = time.time() + 0.1
    for number, body in enumerate(bodies):
        await asyncio.sleep(start + number / rate - time.time())
        connection = await idle.get()
        request = head + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        sent[number] = time.time()
        connection.post(request, lambda at, number=number: answered.__setitem__(number, at))  # type: ignore[misc]
    for connection in [await idle.get() for _ in range(CONNECTIONS)]:
        connection.transport.close()
    return list(zip(sent, answered, strict=True))
