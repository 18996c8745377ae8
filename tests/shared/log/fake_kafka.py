"""Stand-ins for aiokafka's clients that do exactly what a test tells them to."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatch

from shared.log.kafka_clients import Disposable
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_produce import Batches
from shared.log.port import Partition

NOWHERE = KafkaConnection("127.0.0.1:9")


def disposable(made: list[Any], make: Callable[[], Any]) -> Disposable[Any]:
    """Hands out what `make` gives, each one noted in `made`."""

    def noted() -> Any:
        made.append(make())
        return made[-1]

    async def stop(client: Any) -> None:
        await client.stop()

    return Disposable(NOWHERE, noted, stop)


class FakeClient:
    def __init__(self) -> None:
        self.stopped = False

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True


class Request(NamedTuple):
    """What one broker was sent: the values for each partition, and where its answer goes."""

    broker: int
    values: dict[int, list[bytes]]
    answer: "asyncio.Future[Exception | None]"


class FakeProducer(FakeClient):
    """Each request waits in `sent` for its answer; `take` answers the oldest one that has none.

    `led_by` says which broker leads a partition, or why none does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Request] = []
        self.led_by: dict[int, int | Exception] = {}
        self.asked = 0
        self.arrived = asyncio.Condition()

    async def leaders(self, partitions: Sequence[Partition], *, anew: bool) -> list[int | Exception]:
        self.asked += 1
        return [self.led_by.get(partition.number, 1) for partition in partitions]

    async def send(self, broker: int, batches: Batches) -> list[Exception | None]:
        answer: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        values = {partition.number: _values(batch) for partition, batch in batches.items()}
        async with self.arrived:
            self.sent.append(Request(broker, values, answer))
            self.arrived.notify_all()
        return [await answer] * len(batches)

    async def take(self, error: Exception | None = None) -> list[bytes]:
        """The values of the next request, whose batches are then kept, or each refused with the error."""
        request = await self._next()
        request.answer.set_result(error)
        return [value for values in request.values.values() for value in values]

    async def break_off(self, error: Exception) -> None:
        """The next request gets no answer."""
        (await self._next()).answer.set_exception(error)

    async def _next(self) -> Request:
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(lambda: bool(self.sent))
            return self.sent.pop(0)


def _values(batch: bytes) -> list[bytes]:
    return [record.value for record in DefaultRecordBatch(bytes(batch))]


class Fetched(NamedTuple):
    offset: int
    key: bytes
    value: bytes


class FakeConsumer(FakeClient):
    """`waiting` is what the next `getmany` returns; `answers` whether it heard from a broker at all, and
    `silent_seconds` how long ago.
    """

    def __init__(self, waiting: dict[TopicPartition, list[Fetched]] | None = None, answers: bool = True) -> None:
        super().__init__()
        self.waiting = waiting or {}
        self.answers = answers
        self.silent_seconds = 0.0
        self.error: Exception | None = None
        self.positions: dict[TopicPartition, int] = {}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.positions = dict.fromkeys(partitions, -1)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None:
        return int((time.time() - self.silent_seconds) * 1000) if self.answers else None

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Fetched]]:
        found = {at: self.waiting.pop(at) for at in list(self.waiting) if not partitions or at in partitions}
        if self.error and not found:
            raise self.error
        for at, records in found.items():
            self.positions[at] = records[-1].offset + 1
        return found
