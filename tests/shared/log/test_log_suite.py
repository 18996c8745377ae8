"""What every log promises, whatever keeps it."""

import asyncio
import time

import pytest

from shared.log.partitioning import murmur2, partition_of
from shared.log.port import Bounds, NewRecord, OffsetOutOfRange, Partition
from tests.shared.log.conftest import AnyLog

HOUR_MS = 3_600_000


def record(key: str, value: str = "v") -> NewRecord:
    return NewRecord("facts", key.encode(), value.encode())


def keys_of(partition: int, count: int) -> list[str]:
    """Keys that all fall into one partition of `facts`."""
    found = (f"k{number}" for number in range(10_000) if partition_of(f"k{number}".encode(), 4) == partition)
    return [next(found) for _ in range(count)]


@pytest.mark.parametrize(
    ("key", "expected"),  # from the tests of Kafka's own Utils.murmur2
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_kafkas(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


async def test_an_empty_log_has_empty_bounds_in_every_partition(log: AnyLog) -> None:
    assert await log.partitions("facts") == 4
    assert await log.bounds("facts") == dict.fromkeys(range(4), Bounds(0, 0))
    assert log.problem is None


async def test_one_partition_keeps_the_order_of_appends(log: AnyLog) -> None:
    key = keys_of(2, 1)[0]
    assert await log.append([record(key, "a"), record(key, "b")]) == "local"
    await log.append([record(key, "c")])
    assert (await log.bounds("facts"))[2] == Bounds(0, 3)
    reader = log.reader()
    await reader.assign({Partition("facts", 2): 0})
    read = await reader.read(10, 0)
    assert [(found.offset, found.key, found.value) for found in read] == [
        (0, key.encode(), b"a"),
        (1, key.encode(), b"b"),
        (2, key.encode(), b"c"),
    ]
    assert {found.partition for found in read} == {Partition("facts", 2)}
    await reader.close()


async def test_a_reader_starts_where_it_is_told_and_keeps_its_place(log: AnyLog) -> None:
    first, second = Partition("facts", 0), Partition("facts", 1)
    await log.append([record(key) for key in keys_of(0, 3) + keys_of(1, 2)])
    reader = log.reader()
    await reader.assign({first: 1, second: 2})
    assert [found.offset for found in await reader.read(1, 0)] == [1]
    assert (await reader.position(first), await reader.position(second)) == (2, 2)
    assert [found.offset for found in await reader.read(10, 0)] == [2]
    assert await reader.read(10, 0) == []
    await reader.assign({second: 0})
    assert [(found.partition, found.offset) for found in await reader.read(10, 0)] == [(second, 0), (second, 1)]
    await reader.close()


async def test_a_busy_partition_does_not_starve_the_others(log: AnyLog) -> None:
    await log.append([record(key) for key in keys_of(0, 5) + keys_of(3, 1)])
    reader = log.reader()
    await reader.assign({Partition("facts", 0): 0, Partition("facts", 3): 0})
    read = await reader.read(2, 0) + await reader.read(2, 0)
    assert 3 in [found.partition.number for found in read]
    await reader.close()


async def test_an_append_wakes_a_waiting_reader(log: AnyLog) -> None:
    reader = log.reader()
    await reader.assign({Partition("facts", number): 0 for number in range(4)})
    assert await reader.read(10, 0) == []
    waiting = asyncio.create_task(reader.read(10, 60))
    await log.append([record("a")])
    async with asyncio.timeout(10):
        assert [found.key for found in await waiting] == [b"a"]
    await reader.close()


@pytest.mark.parametrize("position", [1, 99])
async def test_a_position_beyond_the_end_is_said(log: AnyLog, position: int) -> None:
    reader = log.reader()
    await reader.assign({Partition("facts", 0): position})
    with pytest.raises(OffsetOutOfRange) as refused:
        await reader.read(10, 0)
    assert (refused.value.partition, refused.value.position) == (Partition("facts", 0), position)
    await reader.close()


async def test_retention_moves_the_start_and_says_so_to_who_is_behind(log: AnyLog) -> None:
    key = keys_of(0, 1)[0]
    await log.append([record(key, "old"), record(key, "old")])
    now = int(time.time() * 1000)
    assert await log.expire(now + 23 * HOUR_MS) == 0
    assert await log.expire(now + 25 * HOUR_MS) == 2
    assert (await log.bounds("facts"))[0] == Bounds(2, 2)
    await log.append([record(key, "new")])
    reader = log.reader()
    await reader.assign({Partition("facts", 0): 1})
    with pytest.raises(OffsetOutOfRange):
        await reader.read(10, 0)
    await reader.assign({Partition("facts", 0): 2})
    assert [found.value for found in await reader.read(10, 0)] == [b"new"]
    await reader.close()


async def test_one_record_can_be_looked_up_without_moving(log: AnyLog) -> None:
    partition = Partition("facts", 1)
    first, second = keys_of(1, 2)
    await log.append([record(first), record(second)])
    reader = log.reader()
    await reader.assign({partition: 0})
    found = await reader.record_at(partition, 1)
    assert found is not None
    assert found.key == second.encode()
    assert await reader.record_at(partition, 2) is None
    assert await reader.position(partition) == 0
    await log.expire(int(time.time() * 1000) + 25 * HOUR_MS)
    assert await reader.record_at(partition, 1) is None
    await reader.close()


async def test_a_compacted_topic_keeps_the_newest_record_of_each_key(log: AnyLog) -> None:
    for key, value in [(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"b", None)]:
        await log.append([NewRecord("config", key, value)])
    reader = log.reader()
    await reader.assign({Partition("config", 0): 0})
    read = await reader.read(10, 0)
    assert [(found.offset, found.key, found.value) for found in read] == [(2, b"a", b"3"), (3, b"b", None)]
    assert (await log.bounds("config"))[0] == Bounds(0, 4)
    assert await log.expire(int(time.time() * 1000) + 10_000 * HOUR_MS) == 0
    await reader.close()


async def test_the_incarnation_stays_and_belongs_to_one_topic(log: AnyLog) -> None:
    before = await log.incarnation("facts")
    await log.append([record("a")])
    assert await log.incarnation("facts") == before != await log.incarnation("config")


async def test_many_at_once_are_all_kept_once(log: AnyLog) -> None:
    await asyncio.gather(*(log.append([record(f"key-{number}")]) for number in range(300)))
    reader = log.reader()
    await reader.assign({Partition("facts", number): 0 for number in range(4)})
    assert sorted(found.key or b"" for found in await reader.read(1000, 0)) == sorted(
        f"key-{number}".encode() for number in range(300)
    )
    await reader.close()


async def test_nothing_appended_is_nothing_kept(log: AnyLog) -> None:
    assert await log.append([]) == "local"
    assert await log.bounds("facts") == dict.fromkeys(range(4), Bounds(0, 0))
