"""The embedded log when the disk does not do its part: refused, said, and good again when the disk is."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.log import group_commit
from shared.log.group_commit import TopicWriter
from shared.log.partitioning import partition_of
from shared.log.port import LogUnavailable, NewRecord, Overloaded, Partition
from shared.log.sqlite import SqliteLog
from shared.log.topic_file import Row, TopicFile
from tests.shared.log.conftest import TOPICS


def record(size: int = 10) -> NewRecord:
    return NewRecord("facts", b"key", b"v" * size)


class Disk:
    """Stands before the file that a writer writes to, and fails when told to."""

    def __init__(self, file: TopicFile) -> None:
        self.partitions = file.partitions
        self.error: Exception | None = None
        self.appends = 0
        self.close = file.close
        self._file = file

    def append(self, rows: list[Row], at_ms: int) -> None:
        self.appends += 1
        if self.error:
            raise self.error
        self._file.append(rows, at_ms)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    made = SqliteLog(tmp_path, TOPICS)
    yield made
    await made.close()


def writer_of(log: SqliteLog) -> TopicWriter:
    return log._writer("facts")


def disk_of(log: SqliteLog) -> Disk:
    writer = writer_of(log)
    disk = Disk(writer.file)
    writer.file = disk  # type: ignore[assignment]
    return disk


def io_error(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    return error


async def test_a_full_disk_refuses_and_takes_again_when_there_is_space(log: SqliteLog) -> None:
    await log.append([record()])
    connection = writer_of(log).file._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(LogUnavailable, match="is full: free some space"):
        await log.append([record(100_000)])
    assert "is full" in str(log.problem)
    connection.execute("PRAGMA max_page_count=1000000")
    assert await log.append([record(100_000)]) == "local"
    assert log.problem is None
    assert (await log.bounds("facts"))[partition_of(b"key", 4)].end == 2


async def test_after_a_failed_flush_the_file_is_never_written_again(log: SqliteLog) -> None:
    disk = disk_of(log)
    disk.error = io_error("SQLITE_IOERR_FSYNC")
    results = await asyncio.gather(*(log.append([record()]) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, LogUnavailable) for result in results)
    disk.error = None
    with pytest.raises(LogUnavailable, match="check the disk and restart"):
        await log.append([record()])
    assert disk.appends == 1
    assert "check the disk" in str(log.problem)


async def test_what_waits_behind_a_failed_flush_is_not_written_either(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "_COMMIT_ROWS", 1)  # each append a commit of its own
    disk = disk_of(log)
    disk.error = io_error("SQLITE_IOERR_FSYNC")
    results = await asyncio.gather(*(log.append([record()]) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [LogUnavailable] * 3
    assert disk.appends == 1


async def test_a_problem_is_forgotten_when_nobody_dares_to_append(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = disk_of(log)
    disk.error = io_error("SQLITE_FULL")
    with pytest.raises(LogUnavailable):
        await log.append([record()])
    assert log.problem is not None
    monkeypatch.setattr(group_commit, "_REMEMBERED_SECONDS", 0.0)
    assert log.problem is None


async def test_whatever_goes_wrong_who_waits_is_answered(log: SqliteLog) -> None:
    disk = disk_of(log)
    disk.error = RuntimeError("cannot schedule new futures after shutdown")
    async with asyncio.timeout(10):
        with pytest.raises(LogUnavailable, match="cannot be written"):
            await log.append([record()])


BOTH = [record(), NewRecord("config", b"key", b"value")]


async def test_topics_of_one_append_are_written_at_the_same_time(log: SqliteLog) -> None:
    meeting = threading.Barrier(2, timeout=10)  # nobody comes alone

    class Meeting(Disk):
        def append(self, rows: list[Row], at_ms: int) -> None:
            meeting.wait()
            super().append(rows, at_ms)

    for topic in ("facts", "config"):
        writer = log._writer(topic)
        writer.file = Meeting(writer.file)  # type: ignore[assignment]
    assert await log.append(BOTH) == "local"


def filled(log: SqliteLog, topic: str) -> Disk:
    """The disk of one topic's file, on which there is no room."""
    writer = log._writer(topic)
    disk = Disk(writer.file)
    disk.error = io_error("SQLITE_FULL")
    writer.file = disk  # type: ignore[assignment]
    return disk


async def test_where_one_topic_cannot_be_written_nobody_is_told_that_all_was(log: SqliteLog) -> None:
    for topic in ("facts", "config"):
        disk = filled(log, topic)
        with pytest.raises(LogUnavailable, match="is full"):
            await log.append(BOTH)
        disk.error = None
        assert await log.append(BOTH) == "local"


async def test_where_no_topic_can_be_written_one_failure_is_told(
    log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard: list[object] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_exception_handler", unheard.append)
    for topic in ("facts", "config"):
        filled(log, topic)
    with pytest.raises(LogUnavailable, match="is full"):
        await log.append(BOTH)
    await log.close()  # both have been answered then
    gc.collect()
    assert not unheard


async def test_no_more_waits_for_the_disk_than_may(log: SqliteLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MAX_WAITING_BYTES", 100)
    with pytest.raises(Overloaded):
        await log.append([record(101)])
    assert await log.append([record(50)]) == "local"


async def test_a_file_that_is_no_log_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "facts.db").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    log = SqliteLog(tmp_path, TOPICS)
    with pytest.raises(LogUnavailable, match=r"facts\.db cannot be opened"):
        await log.append([record()])
    with pytest.raises(LogUnavailable):
        await log.bounds("facts")
    await log.close()


async def test_a_read_that_fails_is_unavailable_too(log: SqliteLog) -> None:
    reader = log.reader()
    await reader.assign({Partition("facts", 0): 0})
    await reader.read(10, 0)
    reader._files["facts"]._connection.close()
    with pytest.raises(LogUnavailable, match="cannot be read"):
        await reader.read(10, 0)
    await reader.close()
