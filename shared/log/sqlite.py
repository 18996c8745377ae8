"""The embedded log: one SQLite file a topic under a folder; any process may append, any process may read.

Group commit without a timer: what arrives while a commit is on its way to the disk goes into the next one. A returned
append is flushed to this node's disk (`local`).
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from shared.log.partitioning import partition_of
from shared.log.port import (
    Bounds,
    Durability,
    LogUnavailable,
    NewRecord,
    Overloaded,
    Partition,
    Record,
    Topic,
)
from shared.log.topic_file import Row, TopicFile

MAX_WAITING_BYTES = 64 * 1024 * 1024
_COMMIT_ROWS = 5_000
_POLL_SECONDS = 0.02


class _Waiting(NamedTuple):
    rows: list[Row]
    size: int
    done: "asyncio.Future[None]"


class _Writer:
    """The one place in this process that writes a topic: a queue, a thread, one commit at a time."""

    def __init__(self, file: TopicFile, path: Path, wake_readers: Callable[[], None]) -> None:
        self.file = file
        self.problem: str | None = None
        self._path = path
        self._wake_readers = wake_readers
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self._flushing: asyncio.Task[None] | None = None
        self._broken = False

    async def append(self, rows: list[Row], size: int) -> None:
        if self._broken:
            raise LogUnavailable(self.problem)
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded(f"{self._waiting_bytes} bytes are waiting for the disk; try again in a second")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(rows, size, done))
        self._waiting_bytes += size
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._commit(self._take())
        finally:
            self._flushing = None

    def _take(self) -> list[_Waiting]:
        taken, count = 0, 0
        for waiting in self._waiting:
            taken, count = taken + 1, count + len(waiting.rows)
            if count >= _COMMIT_ROWS:
                break
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        self._waiting_bytes -= sum(waiting.size for waiting in batch)
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        rows = [row for waiting in batch for row in waiting.rows]
        failure: LogUnavailable | None = None
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._thread, self.file.append, rows, int(time.time() * 1000)
            )
            self.problem = None
        except sqlite3.Error as error:
            failure = self._failed(error)
        for waiting in batch:
            if not waiting.done.done():
                if failure:
                    waiting.done.set_exception(failure)
                else:
                    waiting.done.set_result(None)
        if not failure:
            self._wake_readers()

    def _failed(self, error: sqlite3.Error) -> LogUnavailable:
        code = getattr(error, "sqlite_errorname", "")
        if code == "SQLITE_FULL":
            self.problem = f"the disk that holds {self._path} is full: free some space"
        elif code.startswith("SQLITE_IOERR"):
            # After a failed flush the kernel may have dropped the pages: this connection must never be trusted again.
            self._broken = True
            self.problem = f"writing {self._path} failed ({error}): check the disk and restart"
        else:
            self.problem = f"{self._path} cannot be written: {error}"
        return LogUnavailable(self.problem)

    async def expire(self, before_ms: int) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.file.expire, before_ms)

    async def close(self) -> None:
        if self._flushing:
            await self._flushing
        self._thread.shutdown()
        self.file.close()


class SqliteLog:
    def __init__(self, folder: Path, topics: Sequence[Topic]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = {topic.name: folder / f"{topic.name}.db" for topic in topics}
        self._topics = {topic.name: topic for topic in topics}
        self._writers: dict[str, _Writer] = {}
        self._views: dict[str, TopicFile] = {}
        self._listeners: set[asyncio.Event] = set()

    def listen(self) -> asyncio.Event:
        """An event that is set whenever this process has written; `forget` it when done."""
        event = asyncio.Event()
        self._listeners.add(event)
        return event

    def forget(self, event: asyncio.Event) -> None:
        self._listeners.discard(event)

    def _wake_readers(self) -> None:
        for event in self._listeners:
            event.set()

    def _writer(self, topic: str) -> _Writer:
        if topic not in self._writers:
            self._writers[topic] = _Writer(self.open_topic(topic), self._paths[topic], self._wake_readers)
        return self._writers[topic]

    @property
    def problem(self) -> str | None:
        return next((writer.problem for writer in self._writers.values() if writer.problem), None)

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        rows: dict[str, list[Row]] = {}
        sizes: dict[str, int] = {}
        for topic, key, value in records:
            row = (partition_of(key, self._writer(topic).file.partitions), key, value)
            rows.setdefault(topic, []).append(row)
            sizes[topic] = sizes.get(topic, 0) + len(key) + len(value or b"")
        for topic in rows:
            await self._writer(topic).append(rows[topic], sizes[topic])
        return "local"

    def _view(self, topic: str) -> TopicFile:
        """A connection apart from the writer's, which would show what is not committed yet."""
        if topic not in self._views:
            self._views[topic] = self.open_topic(topic)
        return self._views[topic]

    async def partitions(self, topic: str) -> int:
        return self._view(topic).partitions

    async def bounds(self, topic: str) -> dict[int, Bounds]:
        return self._view(topic).bounds()

    async def incarnation(self, topic: str) -> str:
        return self._view(topic).incarnation()

    def reader(self) -> "SqliteReader":
        return SqliteReader(self)

    def open_topic(self, topic: str) -> TopicFile:
        try:
            return TopicFile(self._paths[topic], self._topics[topic])
        except sqlite3.Error as error:
            raise LogUnavailable(f"{self._paths[topic]} cannot be opened: {error}") from error

    async def expire(self, now_ms: int) -> int:
        """Delete what is past its topic's retention; returns how many records went."""
        removed = 0
        for name, topic in self._topics.items():
            if topic.retention_hours is not None:
                removed += await self._writer(name).expire(now_ms - topic.retention_hours * 3_600_000)
        return removed

    async def close(self) -> None:
        for writer in self._writers.values():
            await writer.close()
        for view in self._views.values():
            view.close()
        self._writers.clear()
        self._views.clear()


class SqliteReader:
    def __init__(self, log: SqliteLog) -> None:
        self._log = log
        self._files: dict[str, TopicFile] = {}
        self._versions: dict[str, int] = {}
        self._positions: dict[str, dict[int, int]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-reader")
        self._written = log.listen()

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
        return self._file(partition.topic).record_at(partition.number, offset)

    async def close(self) -> None:
        self._log.forget(self._written)
        self._thread.shutdown()
        for file in self._files.values():
            file.close()
