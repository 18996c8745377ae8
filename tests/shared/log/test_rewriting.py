"""What is taken out of a log is in no byte of its files any more; positions, and all that was not touched, stay."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from shared.log.memory import MemoryLog
from shared.log.port import Bounds, NewRecord, Partition, Record, Rewritable
from shared.log.sqlite import SqliteLog
from tests.shared.log.conftest import TOPICS

SECRET = b"Kl\xc4\x99bkowski"


async def without(records: Sequence[Record]) -> list[bytes | None]:
    return [b"nobody" if SECRET in (record.value or b"") else None for record in records]


@pytest.fixture(params=["memory", "sqlite"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MemoryLog | SqliteLog]:
    made = MemoryLog(TOPICS) if request.param == "memory" else SqliteLog(tmp_path, TOPICS)
    yield made
    await made.close()


async def fill(log: MemoryLog | SqliteLog, count: int = 40) -> None:
    for number in range(count):
        value = b"%s says %s" % (SECRET, SECRET * 50) if number % 4 == 0 else b"v%d" % number
        await log.append([NewRecord("facts", b"k%d" % number, value)])


async def values(log: MemoryLog | SqliteLog) -> dict[tuple[int, int], bytes | None]:
    reader = log.reader()
    await reader.assign({Partition("facts", number): 0 for number in range(4)})
    found = {(one.partition.number, one.offset): one.value for one in await reader.read(1_000, 0)}
    await reader.close()
    return found


async def test_only_what_is_changed_changes(log: MemoryLog | SqliteLog) -> None:
    await fill(log)
    before, bounds, incarnation = await values(log), await log.bounds("facts"), await log.incarnation("facts")
    assert await log.rewrite("facts", without) == 10
    assert await values(log) == {place: b"nobody" if SECRET in (v or b"") else v for place, v in before.items()}
    assert await log.bounds("facts") == bounds
    assert await log.incarnation("facts") == incarnation
    assert await log.rewrite("facts", without) == 0


async def test_an_empty_topic(log: MemoryLog | SqliteLog) -> None:
    assert await log.rewrite("facts", without) == 0
    assert await log.bounds("facts") == dict.fromkeys(range(4), Bounds(0, 0))


def in_files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if SECRET in path.read_bytes()]


async def test_no_byte_of_it_is_left_in_any_file(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, TOPICS)
    await fill(log)
    reader = log.reader()
    await reader.assign({Partition("facts", number): 0 for number in range(4)})
    await reader.read(10, 0)
    assert in_files(tmp_path)
    await log.rewrite("facts", without)
    assert in_files(tmp_path) == []
    assert len(await reader.read(1_000, 0)) == 30  # who reads meanwhile goes on where it was
    await reader.close()
    await log.close()


async def test_what_a_compacted_topic_forgets_is_overwritten(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, TOPICS)
    await log.append([NewRecord("config", b"erased/1", SECRET * 20)])
    await log.append([NewRecord("config", b"erased/1", b"{}")])
    await log.close()  # which leaves no WAL
    assert in_files(tmp_path) == []


async def test_an_append_meanwhile_is_kept(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path, TOPICS)
    await fill(log)

    async def change(records: Sequence[Record]) -> list[bytes | None]:
        await log.append([NewRecord("facts", b"k1", b"meanwhile")] if len(records) > 1 else [])
        return await without(records)

    await log.rewrite("facts", change)
    assert b"meanwhile" in (await values(log)).values()
    assert in_files(tmp_path) == []
    await log.close()


def test_kafka_is_not_rewritten() -> None:
    from shared.log.kafka import KafkaLog

    assert not issubclass(KafkaLog, Rewritable)
    assert issubclass(SqliteLog, Rewritable)
