"""A proxy of ours between a client and a server: passes whole messages, and does to them what a test asks for.

A fault is decided by the message, never by the time, so each is hit at every run.
"""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tests.faults.wires import Wire

Connect = Callable[[], Awaitable[tuple[StreamReader, StreamWriter]]]
# Writes a message onto a connection.
Pace = Callable[[StreamWriter, bytes], Awaitable[None]]
_RESET = struct.pack("ii", 1, 0)


class Link:
    """One connection of a client, and the one to the server that belongs to it."""

    def __init__(self, client: StreamWriter, server: StreamWriter) -> None:
        self._writers = (client, server)

    def cut(self) -> None:
        """Both sides see a reset; what was not passed on yet never is."""
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            if connection.family != socket.AF_UNIX and not writer.is_closing():
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class Fault:
    """Says of each message whether it is passed on, and as what; this one lets everything through."""

    def request(self, link: Link, message: bytes) -> bytes | None:
        return message

    def answer(self, link: Link, message: bytes) -> bytes | None:
        return message


class Proxy:
    """`fault` and the paces, of requests and of answers, may be changed at any time."""

    def __init__(self, connect: Connect, wire: Callable[[], Wire]) -> None:
        self.fault = Fault()
        self.pace_of_requests: Pace = _at_once
        self.pace_of_answers: Pace = _at_once
        self.port = 0
        self._connect = connect
        self._wire = wire
        self._links: set[Link] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._passes = asyncio.Event()
        self._passes.set()

    def hush(self) -> None:
        """From now on nothing passes in either direction; connections stay open and new ones are taken."""
        self._passes.clear()

    def speak(self) -> None:
        """What was held back passes now."""
        self._passes.set()

    def cut_all(self) -> int:
        """How many connections there were."""
        for link in self._links:
            link.cut()
        return len(self._links)

    async def accept(self, client: StreamReader, to_client: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            server, to_server = await self._connect()
        except OSError:
            to_client.transport.abort()
        else:
            await self._serve(client, to_client, server, to_server)
        finally:
            self._serving.remove(task)

    async def close(self) -> None:
        self.speak()
        self.cut_all()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _serve(
        self, client: StreamReader, to_client: StreamWriter, server: StreamReader, to_server: StreamWriter
    ) -> None:
        link, wire = Link(to_client, to_server), self._wire()
        self._links.add(link)
        await asyncio.gather(
            self._pass(
                lambda: wire.request(client),
                lambda message: self.fault.request(link, message),
                lambda message: self.pace_of_requests(to_server, message),
                to_server,
            ),
            self._pass(
                lambda: wire.answer(server),
                lambda message: self.fault.answer(link, message),
                lambda message: self.pace_of_answers(to_client, message),
                to_client,
            ),
        )
        self._links.remove(link)

    async def _pass(
        self,
        read: Callable[[], Awaitable[bytes]],
        judged: Callable[[bytes], bytes | None],
        write: Callable[[bytes], Awaitable[None]],
        to: StreamWriter,
    ) -> None:
        """Until either side ends the connection; then the other one is told so too."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message = await read()
                await self._passes.wait()
                if (passed := judged(message)) is not None:
                    await write(passed)
        to.close()


async def _at_once(to: StreamWriter, message: bytes) -> None:
    to.write(message)
    await to.drain()


@asynccontextmanager
async def proxied(connect: Connect, wire: Callable[[], Wire]) -> AsyncIterator[Proxy]:
    """A proxy that listens on 127.0.0.1 on a free port."""
    proxy = Proxy(connect, wire)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
