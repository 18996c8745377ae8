"""What could not reach the broker, on this node's disk: one file a process, held by a file lock.

The kernel drops the lock of a process that died, so any other process on the same folder can take its file over. A
returned append is flushed. What a damaged file still holds can be read, record by record.
"""

import asyncio
import fcntl
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from shared.log.group_commit import TopicWriter
from shared.log.port import LogUnavailable, NewRecord, Topic
from shared.log.topic_file import TopicFile

ChangeOne = Callable[[NewRecord], bytes | None]  # what a record says instead; None leaves it
_TOPIC = Topic("spill", 1, None)
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, bytes, bytes | None]).decode
_log = structlog.get_logger(__name__)


class SpillDamaged(Exception):  # noqa: N818 - it is a state of the file, not a mistake of the caller
    """What the file holds cannot be trusted as a whole."""


class SpillFile:
    """Records in the order they were spilled. Three connections: one commits, one forwards, one counts."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        with _told_apart(path):
            self._view = TopicFile(path, _TOPIC)
            self._forwarding = TopicFile(path, _TOPIC)
            self._writer = TopicWriter(TopicFile(path, _TOPIC), path, lambda: None)
            self._next = self._view.bounds()[0].start  # KeyError: a table without its row

    @classmethod
    def create(cls, folder: Path, now: datetime) -> "SpillFile":
        """A new file of this process; names sort by age. The folder is made where it is missing."""
        path = folder / f"spill-{now:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex}.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
        except OSError as error:
            raise LogUnavailable(f"{folder} cannot be written ({error.strerror}): mend that") from error
        assert lock is not None, "nobody else knows a new name"
        return cls._opened(path, lock)

    @classmethod
    def take_over(cls, folder: Path) -> "list[SpillFile]":
        """The files of processes that are gone, the oldest first. One that cannot even be opened is set aside."""
        return [file for path in sorted(folder.glob("*.db")) if (file := cls._taken(path)) is not None]

    @classmethod
    def _taken(cls, path: Path) -> "SpillFile | None":
        try:
            if (lock := _locked(path)) is None:
                return None
            if not path.exists():  # its process emptied and removed it a moment ago
                _remove_lock(path, lock)
                return None
            return cls._opened(path, lock)
        except SpillDamaged as error:
            set_aside(path)
            _lock_path(path).unlink(missing_ok=True)
            _log.error("spill_damaged", file=path.name, error=str(error), forwarded=0)
        except (LogUnavailable, OSError) as error:
            _log.warning("spill_not_taken_over", file=path.name, error=str(error))
        return None

    @classmethod
    def _opened(cls, path: Path, lock: int) -> "SpillFile":
        try:
            return cls(path, lock)
        except BaseException:
            os.close(lock)
            raise

    @property
    def problem(self) -> str | None:
        return self._writer.problem

    @property
    def waiting(self) -> int:
        """How many records are still to be forwarded; 1 where nobody can tell any more: it is not nothing."""
        with suppress(sqlite3.Error, KeyError):
            return self._view.bounds()[0].end - self._next
        return 1

    @property
    def used_bytes(self) -> int:
        """What the records take on the disk."""
        with suppress(sqlite3.Error):
            return self._view.used_bytes()
        return 0

    @property
    def size(self) -> int:
        """What the file takes on the disk, with the room that records left."""
        return sum(file.stat().st_size for file in _files(self.path) if file.exists())

    async def append(self, records: Sequence[NewRecord]) -> None:
        """Returns after the flush; raises `LogUnavailable`."""
        values = [_encode(record) for record in records]
        await self._writer.append([(0, b"", value) for value in values], sum(map(len, values)))

    async def oldest(self, limit: int, max_bytes: int) -> list[NewRecord]:
        """At least one if there is any, else at most so many and so much. `SpillDamaged`, `LogUnavailable`."""
        return await asyncio.to_thread(self._oldest, limit, max_bytes)

    def _oldest(self, limit: int, max_bytes: int) -> list[NewRecord]:
        found: list[NewRecord] = []
        size = 0
        with _told_apart(self.path):
            last = min(self._next + limit, self._forwarding.bounds()[0].end)
            for record in self._forwarding.records(0, self._next, last - self._next):
                size += len(record.value or b"")
                if found and size > max_bytes:
                    return found
                if record.offset != self._next + len(found):
                    break
                found.append(NewRecord(*_decode(record.value or b"")))
        if self._next + len(found) < last:
            raise SpillDamaged(f"{self.path.name} lacks record {self._next + len(found)}")
        return found

    async def forget(self, count: int) -> None:
        """The oldest are where they belong. Never again read by this process, even where the disk keeps them."""
        self._next += count
        try:
            await asyncio.to_thread(self._drop)
        except sqlite3.Error as error:  # a full disk also refuses deletions: the next one takes these with it
            _log.warning("spill_not_shortened", file=self.path.name, error=str(error))

    def _drop(self) -> None:
        self._forwarding.drop_before(0, self._next)
        if not self.waiting:
            self._forwarding.truncate_wal()  # or it would keep what was sent until it is written again

    async def rewrite(self, change: ChangeOne) -> int:
        """What waits says what `change` makes of it, and the file nothing else; how many were changed."""
        return await asyncio.to_thread(self._rewrite, change)

    def _rewrite(self, change: ChangeOne) -> int:
        with _told_apart(self.path):
            waiting = self._forwarding.records(0, self._next, self.waiting)
            read = {one.offset: NewRecord(*_decode(one.value or b"")) for one in waiting}
            changed = {at: _encode(one._replace(value=new)) for at, one in read.items() if (new := change(one))}
            self._forwarding.replace(0, changed)
            self._forwarding.scrub()
        return len(changed)

    async def readable(self, first: int, count: int) -> list[NewRecord] | None:
        """Those that can be read of `count` records, from the `first`th waiting one on; None past the end."""
        return await asyncio.to_thread(self._readable, self._next + first, count)

    def _readable(self, offset: int, count: int) -> list[NewRecord] | None:
        try:
            end = self._forwarding.bounds()[0].end
        except (sqlite3.Error, KeyError):
            return None
        if offset >= end:
            return None
        return [record for at in range(offset, min(offset + count, end)) if (record := self._one(at)) is not None]

    def _one(self, offset: int) -> NewRecord | None:
        with suppress(sqlite3.Error, msgspec.DecodeError):
            record = self._forwarding.record_at(0, offset)
            return NewRecord(*_decode(record.value or b"")) if record else None
        return None

    async def close(self) -> None:
        """An empty file goes with its process, a full one stays for whoever comes."""
        await self._writer.close()
        empty = not self.waiting
        self._view.close()
        self._forwarding.close()
        if empty:
            for name in _files(self.path):
                name.unlink(missing_ok=True)
            _remove_lock(self.path, self._lock)
        else:
            os.close(self._lock)

    async def set_aside(self) -> None:
        """Out of the way, kept for whoever can mend it."""
        with suppress(sqlite3.Error):
            await self._writer.close()
        for file in (self._view, self._forwarding):
            with suppress(sqlite3.Error):
                file.close()
        set_aside(self.path)
        _remove_lock(self.path, self._lock)


def set_aside(path: Path) -> None:
    damaged = path.parent / "damaged"
    damaged.mkdir(exist_ok=True)
    for file in _files(path):
        with suppress(FileNotFoundError):
            file.rename(damaged / file.name)


@contextmanager
def _told_apart(path: Path) -> Iterator[None]:
    """A file that is damaged from a disk that fails at the moment."""
    try:
        yield
    except (msgspec.DecodeError, KeyError) as error:
        raise SpillDamaged(f"{path.name} holds what was never written: {error}") from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith(_DAMAGED):
            raise SpillDamaged(f"{path.name}: {error}") from error
        raise LogUnavailable(f"{path} cannot be used: {error}") from error


def _files(path: Path) -> list[Path]:
    return [Path(f"{path}{ending}") for ending in ("", "-wal", "-shm")]


def _lock_path(path: Path) -> Path:
    return Path(f"{path}.lock")


def _locked(path: Path) -> int | None:
    """The lock beside the file; None while a living process holds it."""
    lock = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _remove_lock(path: Path, lock: int) -> None:
    """Removed while it is held: whoever opened it meanwhile finds no file that belongs to it."""
    _lock_path(path).unlink(missing_ok=True)
    os.close(lock)
