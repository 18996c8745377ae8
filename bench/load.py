"""A load generator on plain sockets: its own cost must not be the limit. Runs as a process of its own.

    python -m bench.load PORT KEY PATH CONNECTIONS SECONDS BATCH [array]

prints {"events", "wall", "failed"}; each connection sends its next request when the last one is answered. A batch is
NDJSON, or a JSON array where that is said.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Callable
from typing import cast

SIZE = 1024  # bytes of one JSON event
SCORES = (10, 9, 8, 10, 3, 9, 7, 10, 9, 6)  # a fifth are detractors, about as many as shops see


def event(name: str, number: int) -> bytes:
    """A feedback event of SIZE bytes."""
    document = {
        "specversion": "1.0",
        "id": f"{name}-{number}",
        "source": "/bench",
        "type": "feedback.received.v1",
        "time": "2026-11-20T10:00:00+01:00",
        "data": {
            "metric": "nps",
            "score": SCORES[number % len(SCORES)],
            "customer": f"c-{number % 5000}",
            "channel": ("email", "sms", "www")[number % 3],
            "segment": ("new", "regular", "gold", "lost", "b2b")[number % 5],
            "text": "",
        },
    }
    bare = json.dumps(document).encode()
    return bare.removesuffix(b'"}}') + b"x" * (SIZE - len(bare)) + b'"}}'


def body_of(events: list[bytes], array: bool) -> bytes:
    return b"[" + b",".join(events) + b"]" if array else b"\n".join(events)


# A whole request by the connection's name and the number of its first event, and how many events are in it.
MakeRequest = Callable[[str, int], tuple[bytes, int]]


class _Client(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, make: MakeRequest, until: float) -> None:
        self._make = make
        self._until = until
        self._name = uuid.uuid4().hex
        self._number = 0
        self._sent = 0
        self._answer = b""
        self.accepted = 0
        self.failed = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        request, self._sent = self._make(self._name, self._number)
        self._number += self._sent
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not is_whole(self._answer):
            return
        accepted, self._answer = self._answer.startswith(b"HTTP/1.1 2"), b""
        if accepted:
            self.accepted += self._sent
        else:
            self.failed += 1
        if time.monotonic() < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    return bool(separator) and len(body) >= _length(head)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def batches(key: str, path: str, batch: int, array: bool) -> MakeRequest:
    kind = "application/json" if batch == 1 or array else "application/x-ndjson"
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\ncontent-type: {kind}\r\n".encode()
    )

    def make(name: str, first: int) -> tuple[bytes, int]:
        body = body_of([event(name, number) for number in range(first, first + batch)], array)
        return head + b"content-length: %d\r\n\r\n" % len(body) + body, batch

    return make


async def drive(port: int, make: MakeRequest, connections: int, seconds: float) -> dict[str, float]:
    start = time.monotonic()
    until = start + seconds
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: _Client(make, until), "127.0.0.1", port) for _ in range(connections)]
    clients = [client for _, client in opened]
    await asyncio.gather(*(client.done for client in clients))
    return {
        "events": sum(client.accepted for client in clients),
        "wall": time.monotonic() - start,
        "failed": sum(client.failed for client in clients),
    }


if __name__ == "__main__":
    import uvloop

    port, key, path, connections, seconds, batch, *array = sys.argv[1:]
    make = batches(key, path, int(batch), array == ["array"])
    result = drive(int(port), make, int(connections), float(seconds))
    print(json.dumps(uvloop.run(result)))
