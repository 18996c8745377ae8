"""Stand-ins for aiokafka's clients that do exactly what a test tells them to."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from shared.log.kafka_clients import Disposable
from shared.log.kafka_connection import KafkaConnection

NOWHERE = KafkaConnection("127.0.0.1:9")


def disposable(made: list[Any], make: Callable[[], Any]) -> Disposable[Any]:
    """Hands out what `make` gives, each one noted in `made`."""

    def noted() -> Any:
        made.append(make())
        return made[-1]

    async def stop(client: Any) -> None:
        await client.stop()

    return Disposable(NOWHERE, noted, stop)


async def until(condition: Callable[[], object]) -> None:
    """Lets the other tasks run until it holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


class FakeClient:
    def __init__(self) -> None:
        self.stopped = False

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True


class Batch:
    """Takes everything, as a batch builder of any size."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(self, *, timestamp: int | None, key: bytes, value: bytes) -> object:
        self.values.append(value)
        return self


class FakeProducer(FakeClient):
    """Each batch waits in `sent` for its answer; `take` answers the oldest one that has none."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[list[bytes], asyncio.Future[None]]] = []
        self.arrived = asyncio.Condition()

    async def partitions_for(self, topic: str) -> set[int]:
        return {0, 1}

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> "asyncio.Future[None]":
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with self.arrived:
            self.sent.append((batch.values, answer))
            self.arrived.notify_all()
        return answer

    async def take(self, error: Exception | None = None) -> list[bytes]:
        """The values of the next batch, which is then kept or fails."""
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(lambda: bool(self.sent))
            values, answer = self.sent.pop(0)
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(None)
        return values


class Fetched(NamedTuple):
    offset: int
    key: bytes
    value: bytes


class FakeConsumer(FakeClient):
    """`waiting` is what the next `getmany` returns; `answers` whether it heard from a broker at all."""

    def __init__(self, waiting: dict[TopicPartition, list[Fetched]] | None = None, answers: bool = True) -> None:
        super().__init__()
        self.waiting = waiting or {}
        self.answers = answers
        self.error: Exception | None = None
        self.positions: dict[TopicPartition, int] = {}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.positions = dict.fromkeys(partitions, -1)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None:
        return int(time.time() * 1000) if self.answers else None

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Fetched]]:
        found = {at: self.waiting.pop(at) for at in list(self.waiting) if not partitions or at in partitions}
        if self.error and not found:
            raise self.error
        for at, records in found.items():
            self.positions[at] = records[-1].offset + 1
        return found
