"""The embedded log: one SQLite file a topic under a folder; any process may append, any process may read.

A returned append is flushed to this node's disk (`local`). What SQLite fails with is `LogUnavailable` to the caller.
"""

import asyncio
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from shared.log.group_commit import TopicWriter
from shared.log.partitioning import partition_of, partitions_of
from shared.log.port import (
    Bounds,
    Change,
    Durability,
    LogUnavailable,
    NewRecord,
    Partition,
    Record,
    Topic,
)
from shared.log.topic_file import Row, TopicFile

_POLL_SECONDS = 0.02
_REWRITE_RECORDS = 1_000


@contextmanager
def _unavailable_on_error(what: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LogUnavailable(f"{what}: {error}") from error


def _size(rows: Sequence[Row]) -> int:
    return sum([len(key) + len(value or b"") for _, key, value in rows])


class SqliteLog:
    def __init__(self, folder: Path, topics: Sequence[Topic]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = {topic.name: folder / f"{topic.name}.db" for topic in topics}
        self._topics = {topic.name: topic for topic in topics}
        self._writers: dict[str, TopicWriter] = {}
        self._views: dict[str, TopicFile] = {}
        self._readers: set[SqliteReader] = set()

    def forget(self, reader: "SqliteReader") -> None:
        self._readers.discard(reader)

    def _wake_readers(self, topic: str) -> None:
        for reader in self._readers:
            reader.wake(topic)

    def _writer(self, topic: str) -> TopicWriter:
        if topic not in self._writers:
            wake = partial(self._wake_readers, topic)
            self._writers[topic] = TopicWriter(self.open_topic(topic), self._paths[topic], wake)
        return self._writers[topic]

    @property
    def problem(self) -> str | None:
        return next((writer.problem for writer in self._writers.values() if writer.problem), None)

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        if len(records) == 1:  # an event alone: what many are sorted by costs as much as its place
            topic, key, value = records[0]
            writer = self._writer(topic)
            row = (partition_of(key, writer.file.partitions), key, value)
            await writer.appending([row], len(key) + len(value or b""))
            return "local"
        rows: dict[str, list[Row]] = {}
        for topic, of_topic in groupby(records, key=itemgetter(0)):
            rows.setdefault(topic, []).extend(self._rows(topic, [*of_topic]))
        # Each to its own file at the same time; whoever waits is woken once, or twice where they end apart.
        for appended in [self._writer(topic).appending(of_topic, _size(of_topic)) for topic, of_topic in rows.items()]:
            await appended
        return "local"

    def _rows(self, topic: str, records: Sequence[NewRecord]) -> Iterator[Row]:
        _, keys, values = zip(*records, strict=True)
        return zip(partitions_of(keys, self._writer(topic).file.partitions), keys, values, strict=True)

    def _view(self, topic: str) -> TopicFile:
        """A connection apart from the writer's, which would show what is not committed yet."""
        if topic not in self._views:
            self._views[topic] = self.open_topic(topic)
        return self._views[topic]

    async def partitions(self, topic: str) -> int:
        return self._view(topic).partitions

    async def bounds(self, topic: str) -> dict[int, Bounds]:
        with _unavailable_on_error(f"{topic} cannot be read"):
            return self._view(topic).bounds()

    async def incarnation(self, topic: str) -> str:
        with _unavailable_on_error(f"{topic} cannot be read"):
            return self._view(topic).incarnation()

    def reader(self) -> "SqliteReader":
        reader = SqliteReader(self)
        self._readers.add(reader)
        return reader

    def open_topic(self, topic: str) -> TopicFile:
        with _unavailable_on_error(f"{self._paths[topic]} cannot be opened"):
            return TopicFile(self._paths[topic], self._topics[topic])

    async def expire(self, now_ms: int) -> int:
        """Delete what is past its topic's retention; returns how many records went."""
        removed = 0
        for name, topic in self._topics.items():
            if topic.retention_hours is not None:
                with _unavailable_on_error(f"{name} cannot be shortened"):
                    removed += await self._writer(name).expire(now_ms - topic.retention_hours * 3_600_000)
        return removed

    async def rewrite(self, topic: str, change: Change) -> int:
        """Give every record of the topic to `change`, and keep what it says instead; the number of those changed.

        Nothing of what they were is left in the file. Positions stay. What is appended meanwhile is given too, up to
        the last look. Safe to begin again when it was interrupted.
        """
        changed = 0
        with _unavailable_on_error(f"{topic} cannot be rewritten"):
            file = await asyncio.to_thread(self.open_topic, topic)
            try:
                for number, bounds in file.bounds().items():
                    changed += await _rewrite_partition(file, number, bounds.start, change)
                await asyncio.to_thread(file.scrub)
            finally:
                file.close()
        return changed

    async def close(self) -> None:
        for writer in self._writers.values():
            await writer.close()
        for view in self._views.values():
            view.close()
        self._writers.clear()
        self._views.clear()


async def _rewrite_partition(file: TopicFile, number: int, position: int, change: Change) -> int:
    changed = 0
    while records := await asyncio.to_thread(_read_on, file, number, position):
        values = {record.offset: new for record, new in zip(records, await change(records), strict=True) if new}
        if values:
            await asyncio.to_thread(file.replace, number, values)
        changed += len(values)
        position = records[-1].offset + 1
    return changed


def _read_on(file: TopicFile, number: int, position: int) -> list[Record]:
    return list(file.records(number, position, _REWRITE_RECORDS))


class SqliteReader:
    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self._files: dict[str, TopicFile] = {}
        self._versions: dict[str, int] = {}
        self._positions: dict[str, dict[int, int]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-reader")
        self._written = asyncio.Event()

    def wake(self, topic: str) -> None:
        """This process has written the topic."""
        if topic in self._positions:
            self._written.set()

    async def assign(self, positions: Mapping[Partition, int]) -> None:
        self._positions = {}
        for partition, offset in positions.items():
            self._positions.setdefault(partition.topic, {})[partition.number] = offset
        self._versions = {}

    async def position(self, partition: Partition) -> int:
        return self._positions[partition.topic][partition.number]

    def _file(self, topic: str) -> TopicFile:
        if topic not in self._files:
            self._files[topic] = self._log.open_topic(topic)
        return self._files[topic]

    async def read(self, limit: int, wait_seconds: float) -> list[Record]:
        deadline = time.monotonic() + wait_seconds
        while True:
            self._written.clear()
            with _unavailable_on_error("the log cannot be read"):
                if self._changed() and (records := await self._read(limit)):
                    return records
            if (left := deadline - time.monotonic()) <= 0:
                return []
            with suppress(TimeoutError):
                await asyncio.wait_for(self._written.wait(), min(left, _POLL_SECONDS))

    def _changed(self) -> bool:
        """Whether any topic was written since the last read that found nothing. Costs microseconds: no thread."""
        return any(self._file(topic).version() != self._versions.get(topic) for topic in self._positions)

    async def _read(self, limit: int) -> list[Record]:
        loop = asyncio.get_running_loop()
        found: list[Record] = []
        for topic, positions in self._positions.items():
            version = self._file(topic).version()
            records = await loop.run_in_executor(self._thread, self._file(topic).read, positions, limit - len(found))
            found += records
            if len(found) >= limit:
                break
            self._versions[topic] = version
        self._advance(found)
        return found

    def _advance(self, records: list[Record]) -> None:
        served = dict.fromkeys(record.partition for record in records)
        for record in records:
            self._positions[record.partition.topic][record.partition.number] = record.offset + 1
        # Who was served goes to the back of the row, so that one busy partition cannot starve the others.
        for topic, number in served:
            self._positions[topic][number] = self._positions[topic].pop(number)
        for topic in {topic for topic, _ in served}:
            self._positions[topic] = self._positions.pop(topic)

    async def record_at(self, partition: Partition, offset: int) -> Record | None:
        with _unavailable_on_error(f"{partition.topic} cannot be read"):
            return self._file(partition.topic).record_at(partition.number, offset)

    async def close(self) -> None:
        self._log.forget(self)
        self._thread.shutdown()
        for file in self._files.values():
            file.close()
