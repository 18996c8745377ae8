"""A receiver of webhooks on a real socket, which answers what a test tells it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Delivery:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are sent one a request, the last one again and again; `then_hang` keeps the connection open."""

    url: str = ""
    answers: list[bytes] = field(default_factory=lambda: [answer(200)])
    then_hang: bool = False
    endless: bytes = b""
    received: list[Delivery] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.at_once -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.append(Delivery(head[0].split(" ")[1], headers, body))
        self.arrived.set()
        await asyncio.sleep(0)  # lets the others arrive
        writer.write(self.answers[0] if len(self.answers) == 1 else self.answers.pop(0))
        await writer.drain()
        while self.endless:
            writer.write(self.endless)
            self.sent += len(self.endless)
            await writer.drain()
        if self.then_hang:
            await reader.read()


def answer(status: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Said", *headers, "content-length: 0", "connection: close", "", ""]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
