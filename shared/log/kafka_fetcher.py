"""Reads on in the background, as aiokafka's consumer does, at a third of its cost: what is kept is handed out as it is.

Every broker has at most one request under way, for all the partitions that it leads and of which not enough waits here.
While nothing waits here the broker answers as soon as there is a record; else it may collect for a moment.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import structlog
from aiokafka import TopicPartition  # type: ignore[import-untyped]
from aiokafka.client import AIOKafkaClient  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    CorruptRecordException,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.record.memory_records import MemoryRecords  # type: ignore[import-untyped]

from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_fetch import Fetched, FetchRequest, Wanted
from shared.log.port import Partition

_WAIT_MS = 500
_COLLECTING_MS = 5
_ENOUGH_BYTES = 4 * 1024 * 1024
_LARGEST_OF_PARTITION = 1024 * 1024
_PAUSE_SECONDS = 0.1
_OK = 0

_log = structlog.get_logger()


class _Place:
    """Where this consumer stands in a partition: `position` is handed out next, `ahead` asked for next."""

    def __init__(self) -> None:
        self.position = -1
        self.ahead = -1
        self.waiting: deque[tuple[Any, Iterator[Any]]] = deque()  # batches, each with what is left of its records
        self.error: Exception | None = None
        self.answered_at: int | None = None
        self.waiting_bytes = 0

    @property
    def may_ask(self) -> bool:
        return self.ahead >= 0 and self.error is None and self.waiting_bytes < _LARGEST_OF_PARTITION

    def seek(self, offset: int) -> None:
        self.position = self.ahead = offset
        self.waiting.clear()
        self.waiting_bytes = 0
        self.error = None

    def take_in(self, batches: bytes) -> None:
        kept = MemoryRecords(batches)
        self.waiting_bytes += len(batches)
        while kept.has_next():
            batch = kept.next_batch()
            if not batch.validate_crc():
                self.error = CorruptRecordException(f"the batch before offset {batch.next_offset} is not what was sent")
                return
            self.ahead = batch.next_offset
            # A batch can be iterated only once, which `islice` would do each time; a chain can be gone on with.
            self.waiting.append((batch, chain(() if batch.is_control_batch else batch)))

    def take(self, limit: int) -> list[Any]:
        """At most so many records."""
        found: list[Any] = []
        while self.waiting and len(found) < limit:
            (batch, records), wanted = self.waiting[0], limit - len(found)
            read = list(islice(records, wanted))
            if read and read[0].offset < self.position:  # it was asked for from its middle
                found += [record for record in read if record.offset >= self.position]
            else:
                found += read
            if len(read) < wanted:
                self.waiting.popleft()
                self.position = batch.next_offset
            else:
                self.position = max(self.position, read[-1].offset + 1)
        if not self.waiting:
            self.waiting_bytes = 0
        return found


class Fetcher:
    """What `KafkaReader` needs of a consumer, in the words of aiokafka's. A broker that fails is asked again."""

    def __init__(self, connection: KafkaConnection, most_bytes: int) -> None:
        self._client = AIOKafkaClient(bootstrap_servers=connection.servers, **connection.options)
        self._most_bytes = most_bytes
        self._places: dict[Partition, _Place] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}  # by broker
        self._finding: asyncio.Task[None] | None = None  # who leads what
        self._changed = asyncio.Event()
        self._news = asyncio.Event()

    async def start(self) -> None:
        await self._client.bootstrap()
        self._finding = asyncio.create_task(self._find_leaders())

    async def stop(self) -> None:
        tasks = [*self._asking.values(), *([self._finding] if self._finding else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self._places = {Partition(*at): _Place() for at in partitions}
        self._client.set_topics({partition.topic for partition in self._places})

    def seek(self, at: TopicPartition, offset: int) -> None:
        self._places[Partition(*at)].seek(offset)
        self._changed.set()

    async def position(self, at: TopicPartition) -> int:
        return self._places[Partition(*at)].position

    def last_poll_timestamp(self, at: TopicPartition) -> int | None:
        return self._places[Partition(*at)].answered_at

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        chosen = [Partition(*at) for at in partitions] or list(self._places)
        if found := self._take(chosen, max_records):
            return found
        self._raise(chosen)
        try:
            async with asyncio.timeout(timeout_ms / 1000):
                while not found:
                    self._news.clear()
                    await self._news.wait()
                    if not (found := self._take(chosen, max_records)):
                        self._raise(chosen)
        except TimeoutError:
            return {}
        return found

    def _take(self, chosen: Iterable[Partition], limit: int) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = {}
        for partition in chosen:
            place = self._places[partition]
            if place.waiting and limit and (records := place.take(limit)):
                found[TopicPartition(*partition)] = records
                limit -= len(records)
        if found:
            self._changed.set()
        return found

    def _raise(self, chosen: Iterable[Partition]) -> None:
        for partition in chosen:
            place = self._places[partition]
            if place.error:
                error, place.error = place.error, None
                self._changed.set()
                raise error

    async def _find_leaders(self) -> None:
        """Also starts to ask a broker that had not led anything."""
        while True:
            self._changed.clear()
            leaders = {self._leader(partition) for partition in self._places}
            for broker in leaders:
                if broker is not None and broker not in self._asking:
                    self._asking[broker] = asyncio.create_task(self._ask(broker))
            if None in leaders:
                await self._client.force_metadata_update()
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                await self._changed.wait()

    def _leader(self, partition: Partition) -> int | None:
        leader = self._client.cluster.leader_for_partition(TopicPartition(*partition))
        return None if leader in (None, -1) else int(leader)

    async def _ask(self, broker: int) -> None:
        while True:
            wanted = self._wanted_of(broker)
            if not wanted.offsets:
                self._changed.clear()
                await self._changed.wait()
                continue
            places = self._places
            try:
                answer = await self._client.send(broker, FetchRequest(wanted))
            except Exception as error:
                _log.warning("kafka_fetch_failed", broker=broker, reason=type(error).__name__)
                await self._look_again()
            else:
                if places is self._places and not self._take_in(wanted, answer.partitions):
                    await self._look_again()

    def _wanted_of(self, broker: int) -> Wanted:
        waiting = sum(place.waiting_bytes for place in self._places.values())
        offsets = {
            partition: place.ahead
            for partition, place in self._places.items()
            if place.may_ask and waiting < _ENOUGH_BYTES and self._leader(partition) == broker
        }
        wait_ms, least_bytes = (_COLLECTING_MS, _ENOUGH_BYTES) if waiting else (_WAIT_MS, 1)
        return Wanted(offsets, wait_ms, least_bytes, self._most_bytes, min(self._most_bytes, _LARGEST_OF_PARTITION))

    def _take_in(self, wanted: Wanted, answered: Mapping[Partition, Fetched]) -> bool:
        """Whether each of them was answered well."""
        now, well = int(time.time() * 1000), bool(answered)
        for partition, fetched in answered.items():
            place = self._places[partition]
            if place.ahead != wanted.offsets[partition]:
                continue
            if fetched.code == _OK:
                place.answered_at = now
                place.take_in(fetched.batches)
            else:
                well = False
                place.error = _error(partition, place.ahead, fetched.code)
        self._news.set()
        return well

    async def _look_again(self) -> None:
        """Somebody else may lead by now."""
        self._client.force_metadata_update()
        await asyncio.sleep(_PAUSE_SECONDS)


def _error(partition: Partition, offset: int, code: int) -> Exception | None:
    """What whoever reads must know; the others pass."""
    kind = for_code(code)
    if kind is OffsetOutOfRangeError:
        return OffsetOutOfRangeError({TopicPartition(*partition): offset})  # type: ignore[no-any-return]
    if kind is TopicAuthorizationFailedError:
        return TopicAuthorizationFailedError(partition.topic)  # type: ignore[no-any-return]
    _log.warning("kafka_fetch_refused", topic=partition.topic, partition=partition.number, reason=kind.__name__)
    return None
