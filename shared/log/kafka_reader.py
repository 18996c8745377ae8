"""Reads partitions of Kafka from given positions, without a group: nobody else moves them, nothing is committed.

aiokafka reads in the background and says nothing when it cannot. So the time of the last answer is watched while one is
waited for, and what was read against what is there; a consumer that fell silent is thrown away and read on from where
this reader stands.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import OffsetOutOfRangeError  # type: ignore[import-untyped]

from shared.log.kafka_asking import AskedConsumer
from shared.log.kafka_clients import Disposable
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_faults import sentence
from shared.log.port import Bounds, LogUnavailable, OffsetOutOfRange, Partition, Record, Records

# A fetch without news is answered after half a second, one that failed is given up after one and a half.
SILENCE_SECONDS = 3.0
STUCK_SECONDS = 15.0
_ANSWER_SECONDS = 3.0
_FETCH_WAIT_MS = 500
_LOOKUP_WAIT_MS = 10
_LARGEST_ANSWER, _SMALLEST_ANSWER = 48 * 1024 * 1024, 8 * 1024
_LARGEST_OF_PARTITION = 1024 * 1024  # aiokafka's own

_log = structlog.get_logger()
_offset, _key, _value = attrgetter("offset"), attrgetter("key"), attrgetter("value")

Consumer = Disposable[Any]  # of AIOKafkaConsumer, which has no types


class Portion:
    """How many bytes an answer of the broker may hold, unless its first batch alone holds more.

    An answer that a slow line cannot carry in time is thrown away and asked for again; as large, it never arrives.
    """

    def __init__(self, size: int = _LARGEST_ANSWER) -> None:
        self.size = size

    @property
    def may_grow(self) -> bool:
        return self.size < _LARGEST_ANSWER

    def shrink(self) -> None:
        self.size = max(self.size // 16, _SMALLEST_ANSWER)

    def grow(self) -> None:
        self.size = min(self.size * 16, _LARGEST_ANSWER)


def consumer(connection: KafkaConnection, portion: Portion | None = None, wait_ms: int = _FETCH_WAIT_MS) -> Consumer:
    size = portion or Portion()
    return Disposable(
        connection,
        lambda: AskedConsumer(
            bootstrap_servers=connection.servers,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",  # its default jumps over all that is unread
            fetch_max_wait_ms=wait_ms,
            fetch_max_bytes=size.size,
            max_partition_fetch_bytes=min(size.size, _LARGEST_OF_PARTITION),
            **connection.options,
        ),
        _stop,
    )


def finder(connection: KafkaConnection) -> Consumer:
    """For single records: the batch with the record and nothing more."""
    return consumer(connection, Portion(_SMALLEST_ANSWER), _LOOKUP_WAIT_MS)


async def _stop(client: AIOKafkaConsumer) -> None:
    await client.stop()


class KafkaReader:
    """`consumers` reads on in answers of the size of `portion`, `finders` looks single records up.

    All three belong to this reader alone; `bounds` and `partitions` are the log's.
    """

    def __init__(
        self,
        consumers: Consumer,
        portion: Portion,
        finders: Consumer,
        bounds: Callable[[str], Awaitable[dict[int, Bounds]]],
        partitions: Callable[[str], Awaitable[int]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumers = consumers
        self._portion = portion
        self._finders = finders
        self._bounds = bounds
        self._partitions = partitions
        self._monotonic = monotonic
        self._positions: dict[Partition, int] = {}
        self._served: set[Partition] = set()  # by a read that may have left something
        self._assigned: AIOKafkaConsumer | None = None
        self._assigned_at = 0.0
        self._asked_at = 0.0  # for the first time since something was found
        self._found = True
        self._moved_at = 0.0

    async def assign(self, positions: Mapping[Partition, int]) -> None:
        self._positions = dict(positions)
        self._assigned = None

    async def position(self, partition: Partition) -> int:
        return self._positions[partition]

    async def read(self, limit: int, wait_seconds: float) -> Sequence[Record]:
        """As the port says, and `LogUnavailable` when Kafka has been silent for three seconds."""
        if not self._positions:
            await asyncio.sleep(wait_seconds)
            return []
        client = await self._consumers.get()
        if self._found:
            self._asked_at, self._found = self._monotonic(), False
        try:
            if client is not self._assigned:
                await self._assign(client)
            found = await self._collect(client, limit, wait_seconds)
            await self._follow(client, found)
        except OffsetOutOfRangeError as error:
            ((at, offset),) = error.args[0].items()
            raise OffsetOutOfRange(Partition(*at), offset) from error
        except LogUnavailable:
            raise
        except Exception as error:
            self._consumers.discard(client)
            raise LogUnavailable(sentence(error, wait_seconds)) from error
        if not found:
            await self._doubt(client)
            return []
        self._found = True
        if self._portion.may_grow and self._monotonic() - self._assigned_at > STUCK_SECONDS:
            self._portion.grow()  # the line may be faster by now
            self._consumers.discard(client)
        return found

    async def record_at(self, partition: Partition, offset: int) -> Record | None:
        start, end = (await self._bounds(partition.topic))[partition.number]
        if not start <= offset < end:
            return None
        return await self._finders.ask(lambda client: _look_up(client, partition, offset), _ANSWER_SECONDS)

    async def close(self) -> None:
        await asyncio.gather(self._consumers.close(), self._finders.close())

    async def _assign(self, client: AIOKafkaConsumer) -> None:
        for topic in {partition.topic for partition in self._positions}:
            # Raises when there is none: aiokafka would ask for it without a pause, at the cost of half a core.
            await self._partitions(topic)
        client.assign([TopicPartition(*partition) for partition in self._positions])
        for partition, offset in self._positions.items():
            client.seek(TopicPartition(*partition), offset)
        self._assigned, self._served = client, set()
        self._assigned_at = self._moved_at = self._monotonic()

    async def _collect(self, client: AIOKafkaConsumer, limit: int, wait_seconds: float) -> Records:
        """Of all partitions at once: to ask each of dozens would cost as much as the rest of a pass."""
        found = Records([], [], [], [])
        if self._served:  # aiokafka goes on where it left off, and a busy partition must not starve the others
            others = [TopicPartition(*partition) for partition in self._positions if partition not in self._served]
            if others:
                found = await _take(client, limit, 0, *others)
        if not found:
            found = await _take(client, limit, wait_seconds)
        self._served = set(found.partitions) if len(found) == limit else set()
        return found

    async def _follow(self, client: AIOKafkaConsumer, found: Records) -> None:
        """Also past what is no record, which is looked for when there is nothing else: markers of transactions, and
        holes that compaction left.
        """
        for partition in dict.fromkeys(found.partitions) or self._positions:
            position = await client.position(TopicPartition(*partition))
            if position != self._positions[partition]:
                self._positions[partition] = position
                self._moved_at = self._monotonic()

    async def _doubt(self, client: AIOKafkaConsumer) -> None:
        """Nothing was found: because there is nothing, or because this consumer would not notice?"""
        if self._silence(client) > SILENCE_SECONDS:
            self._consumers.discard(client)
            if self._newest_answer(client) is None:  # it could be started, and not be read from
                self._portion.shrink()
            raise LogUnavailable(f"Kafka has sent nothing for {SILENCE_SECONDS:g} seconds")
        if self._monotonic() - self._moved_at > STUCK_SECONDS:
            self._moved_at = self._monotonic()
            if unread := await self._unread():
                _log.warning("kafka_consumer_recreated", unread=unread)
                self._consumers.discard(client)

    def _silence(self, client: AIOKafkaConsumer) -> float:
        """Seconds that one was waited for since any partition had an answer; one without records is one too."""
        newest = self._newest_answer(client)
        if newest is None:
            return self._monotonic() - self._assigned_at
        return min(time.time() - newest / 1000, self._monotonic() - self._asked_at)

    def _newest_answer(self, client: AIOKafkaConsumer) -> int | None:
        """When there was the last one, in milliseconds; None before the first."""
        answers = [client.last_poll_timestamp(TopicPartition(*partition)) for partition in self._positions]
        return max((at for at in answers if at is not None), default=None)

    async def _unread(self) -> int:
        bounds = {topic: await self._bounds(topic) for topic in {partition.topic for partition in self._positions}}
        ends = {partition: bounds[partition.topic][partition.number].end for partition in self._positions}
        return sum(abs(end - self._positions[partition]) for partition, end in ends.items())


async def _take(client: AIOKafkaConsumer, limit: int, wait_seconds: float, *partitions: TopicPartition) -> Records:
    fetched = await client.getmany(*partitions, timeout_ms=int(wait_seconds * 1000), max_records=limit)
    of: list[Partition] = []
    for at, records in fetched.items():
        of += [Partition(*at)] * len(records)
    found = list(chain.from_iterable(fetched.values()))
    return Records(of, list(map(_offset, found)), list(map(_key, found)), list(map(_value, found)))


async def _look_up(client: AIOKafkaConsumer, partition: Partition, offset: int) -> Record | None:
    at = TopicPartition(*partition)
    client.assign([at])
    client.seek(at, offset)
    try:
        while await client.position(at) == offset:
            found = await _take(client, 1, 1.0)
            if found:
                return found[0] if found[0].offset == offset else None
        return None  # there is nothing but a hole
    finally:
        client.pause(at)  # or it would go on fetching what nobody reads
