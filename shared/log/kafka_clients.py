"""A client of aiokafka that can be thrown away: made and started at first use, and anew after it failed.

Nobody waits for it longer than promised, and what was thrown away is stopped in the background. A client that went
through an outage is never trusted again: several of them are known to stay stuck.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from shared.log.kafka_connection import REQUEST_MS, KafkaConnection
from shared.log.kafka_faults import sentence, why_unreachable
from shared.log.port import LogUnavailable

_STOP_SECONDS = 5.0


class Startable(Protocol):
    async def start(self) -> None: ...


C = TypeVar("C", bound=Startable)
Answer = TypeVar("Answer")


class Disposable(Generic[C]):
    """`make` gives a client that is not started; `stop` ends one, started or not."""

    def __init__(
        self, connection: KafkaConnection, make: Callable[[], C], stop: Callable[[C], Awaitable[None]]
    ) -> None:
        self._connection = connection
        self._make = make
        self._stop = stop
        self._client: C | None = None
        self._starting: asyncio.Task[C | LogUnavailable] | None = None
        self._stopping: set[asyncio.Task[None]] = set()

    async def get(self) -> C:
        """The started client. `LogUnavailable` with the reason; a cancelled wait leaves the start under way."""
        if self._client is not None:
            return self._client
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        started = await asyncio.shield(self._starting)
        if isinstance(started, LogUnavailable):
            raise LogUnavailable(str(started))
        return started

    async def ask(self, question: Callable[[C], Awaitable[Answer]], seconds: float) -> Answer:
        """The client's answer within so many seconds; else it is thrown away and `LogUnavailable` raised.

        A client that was started only now is asked once more: over a slow line its start takes most of the time.
        """
        client: C | None = None
        was_started = self._client is not None
        try:
            async with asyncio.timeout(seconds):
                client = await self.get()
                return await question(client)
        except LogUnavailable:
            raise
        except Exception as error:
            if client is not None and (was_started or not isinstance(error, TimeoutError)):
                self.discard(client)
            raise LogUnavailable(sentence(error, seconds)) from error

    def discard(self, client: C) -> None:
        """The next `get` makes another; whoever was late to find this one broken does not hit its successor."""
        if self._client is client:
            self._client = None
            self._end(client)

    async def close(self) -> None:
        """Takes a few seconds at most, whatever the broker does."""
        if self._starting is not None:
            self._starting.cancel()
            with suppress(asyncio.CancelledError):
                await self._starting
        if self._client is not None:
            self.discard(self._client)
        if self._stopping:
            await asyncio.wait(self._stopping)

    async def _start(self) -> C | LogUnavailable:
        client, began = self._make(), time.monotonic()
        try:
            async with asyncio.timeout(self._start_seconds):
                await client.start()
        except BaseException as error:
            self._end(client)
            if not isinstance(error, Exception):
                raise
            return LogUnavailable(await why_unreachable(self._connection, began))
        finally:
            self._starting = None
        self._client = client
        return client

    @property
    def _start_seconds(self) -> float:
        """aiokafka tries one address after the other, in random order."""
        return (REQUEST_MS / 1000) * len(self._connection.servers.split(",")) + 0.5

    def _end(self, client: C) -> None:
        stopping = asyncio.create_task(self._stop_within_bounds(client))
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)

    async def _stop_within_bounds(self, client: C) -> None:
        with suppress(Exception):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._stop(client)
