"""Appends to Kafka without a timer: what arrives while a partition's batch is on its way goes into the next one.

Every append is answered: kept by all replicas in sync, refused for its size, or unavailable, at the latest two seconds
after its batch left. What was called unavailable may be kept all the same.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)

from shared.log.kafka_clients import Disposable
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_faults import sentence
from shared.log.port import LogUnavailable, NewRecord, Overloaded, Partition, RecordsRefused
from shared.patience import Patience

SILENCE_SECONDS = 2.0
MAX_WAITING_BYTES = 64 * 1024 * 1024
MAX_BATCH_BYTES = 1_000_000
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_METADATA_MS = 5_000
_MOST_ROWS = 100_000
# Whoever is told of a problem may stop sending, and then no append comes that could show it is over.
_REMEMBERED_SECONDS = 10.0

Producer = Disposable[Any]  # of AIOKafkaProducer, which has no types


def producer(connection: KafkaConnection) -> Producer:
    return Disposable(
        connection,
        lambda: AIOKafkaProducer(
            bootstrap_servers=connection.servers,
            acks="all",
            # With it on, sends and stop() wait for ever on a broker that is down; readers absorb repeats anyway.
            enable_idempotence=False,
            max_batch_size=MAX_BATCH_BYTES,
            metadata_max_age_ms=_METADATA_MS,
            **connection.options,
        ),
        _stop,
    )


async def _stop(client: AIOKafkaProducer) -> None:
    await client.stop()


class _Append:
    """One call of so many records and bytes; answered when the last of its records is."""

    __slots__ = ("done", "left", "refusals", "size")

    def __init__(self, left: int, size: int) -> None:
        self.left = left
        self.size = size
        self.refusals: list[NewRecord] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answer(self) -> None:
        if self.done.done():  # it has failed already, or who waited has gone
            return
        if self.refusals:
            self.done.set_exception(RecordsRefused(self.refusals, "larger than max.message.bytes of their topic"))
        else:
            self.done.set_result(None)


_Row = tuple[NewRecord, _Append]


class _Lane:
    """One partition: at most one batch is on its way, of at most so many rows."""

    __slots__ = ("flushing", "most_rows", "partition", "waiting")

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.waiting: deque[_Row] = deque()
        self.flushing: asyncio.Task[None] | None = None
        self.most_rows = _MOST_ROWS

    def fill(self, client: AIOKafkaProducer, batch: list[_Row]) -> Any:
        """A batch builder with what fits; the rows in it move from those that wait to `batch`."""
        builder, waiting = client.create_batch(), self.waiting
        append, now = builder.append, int(time.time() * 1000)
        while waiting and len(batch) < self.most_rows:
            _, key, value = waiting[0][0]
            if append(timestamp=now, key=key, value=value) is None:
                break
            batch.append(waiting.popleft())
        return builder


class Lanes:
    def __init__(self, to: Producer, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._producer = to
        self._monotonic = monotonic
        self._lanes: dict[Partition, _Lane] = {}
        self._patience = Patience()
        self._waiting_bytes = 0
        self._failure: str | None = None
        self._failed_at = 0.0

    @property
    def problem(self) -> str | None:
        return self._failure if self._monotonic() - self._failed_at < _REMEMBERED_SECONDS else None

    async def append(self, records: Sequence[tuple[Partition, NewRecord]]) -> None:
        """Returns when all are kept. Else `LogUnavailable`, `Overloaded` or `RecordsRefused`."""
        size = sum(len(key) + len(value or b"") for _, (_, key, value) in records)
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded(f"{self._waiting_bytes} bytes are waiting for Kafka; try again in a second")
        self._waiting_bytes += size
        append = _Append(len(records), size)
        lanes = self._lanes
        for partition, record in records:
            lane = lanes.get(partition) or self._lane(partition)
            lane.waiting.append((record, append))
            if lane.flushing is None:
                # As a task, so that all who are ready to append now get into the same batch.
                lane.flushing = asyncio.create_task(self._flush(lane))
        await append.done

    async def close(self) -> None:
        """What is on its way gets its answer; all of it is bounded."""
        if flushing := [lane.flushing for lane in self._lanes.values() if lane.flushing]:
            await asyncio.wait(flushing)
        await self._producer.close()

    def _lane(self, partition: Partition) -> _Lane:
        return self._lanes.setdefault(partition, _Lane(partition))

    async def _flush(self, lane: _Lane) -> None:
        try:
            while lane.waiting:
                await self._send(lane)
        finally:
            lane.flushing = None

    async def _send(self, lane: _Lane) -> None:
        """One batch from the front of those that wait; each of its rows is answered."""
        batch: list[_Row] = []
        client: AIOKafkaProducer | None = None
        try:
            with self._patience.at_most(SILENCE_SECONDS):
                client = await self._producer.get()
                await self._know(client, lane.partition)
                builder = lane.fill(client, batch)
                sent = await client.send_batch(builder, lane.partition.topic, partition=lane.partition.number)
                sent.add_done_callback(_look_at)
                await asyncio.shield(sent)
        except _TOO_LARGE:
            self._refused_for_size(lane, batch)
        except LogUnavailable as error:
            self._failed(lane, batch, str(error))
        except Exception as error:  # whatever it is: those who wait for an answer must get one
            if client is not None:
                self._producer.discard(client)
            self._failed(lane, batch, f"{lane.partition.topic}: {sentence(error, SILENCE_SECONDS)}")
        else:
            self._kept(lane, batch)

    async def _know(self, client: AIOKafkaProducer, partition: Partition) -> None:
        topic, number = partition
        if number in await client.partitions_for(topic):
            return
        await client.client.force_metadata_update()  # the topic has grown since this client looked
        if number not in await client.partitions_for(topic):
            raise UnknownTopicOrPartitionError

    def _kept(self, lane: _Lane, batch: list[_Row]) -> None:
        self._failure = None
        lane.most_rows = min(2 * lane.most_rows, _MOST_ROWS)
        self._settle(batch)

    def _failed(self, lane: _Lane, batch: list[_Row], reason: str) -> None:
        self._failure, self._failed_at = reason, self._monotonic()
        # Those behind have waited for this answer; to let them wait for one each could take minutes.
        rows = [*batch, *lane.waiting]
        lane.waiting.clear()
        for _, append in rows:
            if not append.done.done():
                append.done.set_exception(LogUnavailable(reason))
        self._settle(rows)

    def _refused_for_size(self, lane: _Lane, batch: list[_Row]) -> None:
        """The limit is on the batch, so only a row that went alone is too large itself."""
        if len(batch) > 1:
            lane.most_rows = len(batch) // 2
            lane.waiting.extendleft(reversed(batch))
            return
        ((record, append),) = batch
        append.refusals.append(record)
        self._settle(batch)

    def _settle(self, rows: list[_Row]) -> None:
        for _, append in rows:
            append.left -= 1
            if not append.left:
                self._waiting_bytes -= append.size
                append.answer()


def _look_at(sent: "asyncio.Future[Any]") -> None:
    """An error that comes when nobody waits any more; asyncio would print it."""
    if not sent.cancelled():
        sent.exception()
