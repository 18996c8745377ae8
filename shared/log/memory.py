"""The log in memory: the port's twin for tests. It passes the same suite as the others; nothing outlives the process.

`unavailable` set to a sentence makes it behave like a log that is away.
"""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress

from shared.log.partitioning import partition_of
from shared.log.port import (
    Bounds,
    Change,
    Durability,
    LogUnavailable,
    NewRecord,
    OffsetOutOfRange,
    Partition,
    Record,
    Topic,
)


class _Kept:
    """One partition: its records by offset, each with the time it was written."""

    def __init__(self) -> None:
        self.records: dict[int, tuple[int, Record]] = {}
        self.start = 0
        self.end = 0

    def append(self, partition: Partition, key: bytes, value: bytes | None, compacted: bool) -> None:
        if compacted:
            self.records = {at: kept for at, kept in self.records.items() if kept[1].key != key}
        self.records[self.end] = (int(time.time() * 1000), Record(partition, self.end, key, value))
        self.end += 1

    def expire(self, before_ms: int) -> int:
        old = [offset for offset, (at, _) in self.records.items() if at < before_ms]
        for offset in old:
            del self.records[offset]
            self.start = offset + 1
        return len(old)

    def read(self, position: int, limit: int) -> list[Record]:
        return [record for offset, (_, record) in self.records.items() if offset >= position][:limit]


class MemoryLog:
    durability: Durability = "local"

    def __init__(self, topics: Sequence[Topic]) -> None:
        self.unavailable: str | None = None
        self.appends = 0
        self._topics = {topic.name: topic for topic in topics}
        self._incarnations = {topic.name: str(uuid.uuid4()) for topic in topics}
        self._kept = {Partition(topic.name, number): _Kept() for topic in topics for number in range(topic.partitions)}
        self._written = asyncio.Condition()

    @property
    def problem(self) -> str | None:
        return self.unavailable

    def check(self) -> None:
        if self.unavailable is not None:
            raise LogUnavailable(self.unavailable)

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        self.check()
        for name, key, value in records:
            topic = self._topics[name]
            partition = Partition(name, partition_of(key, topic.partitions))
            self._kept[partition].append(partition, key, value, topic.compacted)
        self.appends += 1
        async with self._written:
            self._written.notify_all()
        return self.durability

    async def partitions(self, topic: str) -> int:
        self.check()
        return self._topics[topic].partitions

    async def bounds(self, topic: str) -> dict[int, Bounds]:
        self.check()
        return {
            partition.number: Bounds(kept.start, kept.end)
            for partition, kept in self._kept.items()
            if partition.topic == topic
        }

    async def incarnation(self, topic: str) -> str:
        self.check()
        return self._incarnations[topic]

    async def expire(self, now_ms: int) -> int:
        """Delete what is past its topic's retention; returns how many records went."""
        return sum(
            kept.expire(now_ms - hours * 3_600_000)
            for partition, kept in self._kept.items()
            if (hours := self._topics[partition.topic].retention_hours) is not None
        )

    async def rewrite(self, topic: str, change: Change) -> int:
        """As the embedded log does it."""
        changed = 0
        for partition, kept in self._kept.items():
            if partition.topic == topic:
                records = [record for _, record in kept.records.values()]
                for record, value in zip(records, await change(records), strict=True):
                    if value is not None:
                        kept.records[record.offset] = (kept.records[record.offset][0], record._replace(value=value))
                        changed += 1
        return changed

    def recreate(self, topic: str, partitions: int | None = None) -> None:
        """The topic deleted and made again: empty, with another incarnation, and with so many partitions if said."""
        self._incarnations[topic] = str(uuid.uuid4())
        self._kept = {partition: kept for partition, kept in self._kept.items() if partition.topic != topic}
        self._topics[topic] = self._topics[topic]._replace(partitions=partitions or self._topics[topic].partitions)
        for number in range(self._topics[topic].partitions):
            self._kept[Partition(topic, number)] = _Kept()

    def records(self, topic: str) -> list[Record]:
        """All that is kept of a topic, partition by partition."""
        return [
            record
            for partition, kept in self._kept.items()
            if partition.topic == topic
            for _, record in kept.records.values()
        ]

    def read(self, partition: Partition, position: int, limit: int) -> list[Record]:
        self.check()
        kept = self._kept[partition]
        if not kept.start <= position <= kept.end:
            raise OffsetOutOfRange(partition, position)
        return kept.read(position, limit)

    def record_at(self, partition: Partition, offset: int) -> Record | None:
        self.check()
        found = self._kept[partition].records.get(offset)
        return found[1] if found else None

    async def wait_for_write(self, after: int, seconds: float) -> None:
        """Until more than `after` appends were made, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._written:
                await self._written.wait_for(lambda: self.appends > after)

    def reader(self) -> "MemoryReader":
        return MemoryReader(self)

    async def close(self) -> None:
        pass


class MemoryReader:
    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._positions: dict[Partition, int] = {}

    async def assign(self, positions: Mapping[Partition, int]) -> None:
        self._positions = dict(positions)

    async def position(self, partition: Partition) -> int:
        return self._positions[partition]

    async def read(self, limit: int, wait_seconds: float) -> list[Record]:
        appends = self._log.appends
        found = self._read(limit)
        if not found and wait_seconds > 0:
            await self._log.wait_for_write(appends, wait_seconds)
            found = self._read(limit)
        return found

    def _read(self, limit: int) -> list[Record]:
        self._log.check()
        found: list[Record] = []
        for partition, position in list(self._positions.items()):
            records = self._log.read(partition, position, limit - len(found))
            if records:
                # Who was served goes to the back of the row, so that one busy partition cannot starve the others.
                del self._positions[partition]
                self._positions[partition] = records[-1].offset + 1
            found += records
        return found

    async def record_at(self, partition: Partition, offset: int) -> Record | None:
        return self._log.record_at(partition, offset)

    async def close(self) -> None:
        pass
