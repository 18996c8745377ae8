"""What every log promises, whatever keeps it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.log.partitioning import murmur2, partition_of
from shared.log.port import Bounds, Column, NewRecord, OffsetOutOfRange, Partition, Reader, Record
from tests.shared.log.conftest import Place


def record(place: Place, key: str, value: str = "v") -> NewRecord:
    return NewRecord(place.facts, key.encode(), value.encode())


def keys_of(partition: int, count: int) -> list[str]:
    """Keys that all fall into one partition of the facts."""
    found = (f"k{number}" for number in range(10_000) if partition_of(f"k{number}".encode(), 4) == partition)
    return [next(found) for _ in range(count)]


async def read(reader: Reader, count: int) -> list[Record]:
    """So many records, however many reads it takes; a log may hand them out as they come in."""
    found: list[Record] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await reader.read(count - len(found), 5)
    return found


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


@given(st.binary(min_size=1, max_size=6), st.integers(1, 1000))
def test_a_key_of_one_word_goes_where_any_key_goes(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


async def test_an_empty_log_has_empty_bounds_in_every_partition(place: Place) -> None:
    assert await place.log.partitions(place.facts) == 4
    assert await place.log.bounds(place.facts) == dict.fromkeys(range(4), Bounds(0, 0))
    assert place.log.problem is None


async def test_one_partition_keeps_the_order_of_appends(place: Place) -> None:
    key = keys_of(2, 1)[0]
    assert await place.log.append([record(place, key, "a"), record(place, key, "b")]) == place.durability
    await place.log.append([record(place, key, "c")])
    assert (await place.log.bounds(place.facts))[2] == Bounds(0, 3)
    reader = place.log.reader()
    await reader.assign({Partition(place.facts, 2): 0})
    found = await read(reader, 3)
    assert [(each.offset, each.key, each.value) for each in found] == [
        (0, key.encode(), b"a"),
        (1, key.encode(), b"b"),
        (2, key.encode(), b"c"),
    ]
    assert {each.partition for each in found} == {Partition(place.facts, 2)}
    await reader.close()


async def test_a_column_is_appended_as_its_records_are(place: Place) -> None:
    keys = [key.encode() for key in (*keys_of(1, 9), *keys_of(3, 2))]
    column = Column(place.facts, keys, [b"of " + key for key in keys])
    assert list(column[2:4]) == [NewRecord(place.facts, key, b"of " + key) for key in keys[2:4]]
    assert await place.log.append(column) == place.durability
    assert {number: one.end for number, one in (await place.log.bounds(place.facts)).items()} == {
        0: 0,
        1: 9,
        2: 0,
        3: 2,
    }
    reader = place.log.reader()
    await reader.assign({Partition(place.facts, 1): 0, Partition(place.facts, 3): 0})
    assert sorted((each.key, each.value) for each in await read(reader, 11)) == sorted(
        zip(keys, column.values, strict=True)
    )
    await reader.close()


async def test_a_reader_starts_where_it_is_told_and_keeps_its_place(place: Place) -> None:
    first, second = Partition(place.facts, 0), Partition(place.facts, 1)
    await place.log.append([record(place, key) for key in keys_of(0, 3) + keys_of(1, 2)])
    reader = place.log.reader()
    await reader.assign({first: 1, second: 2})
    assert (await reader.position(first), await reader.position(second)) == (1, 2)
    assert [each.offset for each in await read(reader, 1)] == [1]
    assert (await reader.position(first), await reader.position(second)) == (2, 2)
    assert [each.offset for each in await read(reader, 1)] == [2]
    assert await reader.read(10, 0) == []
    await reader.assign({second: 0})
    assert [(each.partition, each.offset) for each in await read(reader, 2)] == [(second, 0), (second, 1)]
    await reader.close()


async def test_who_is_assigned_nothing_reads_nothing(place: Place) -> None:
    reader = place.log.reader()
    assert await reader.read(10, 0) == []
    await place.log.append([record(place, "a")])
    await reader.assign({})
    assert await reader.read(10, 0.01) == []
    await reader.close()


async def test_a_busy_partition_does_not_starve_the_others(place: Place) -> None:
    await place.log.append([record(place, key) for key in keys_of(0, 5) + keys_of(3, 1)])
    reader = place.log.reader()
    await reader.assign({Partition(place.facts, 0): 0, Partition(place.facts, 3): 0})
    found = await read(reader, 2) + await read(reader, 2)
    assert 3 in [each.partition.number for each in found]
    await reader.close()


async def test_an_append_wakes_a_waiting_reader(place: Place) -> None:
    reader = place.log.reader()
    await reader.assign({Partition(place.facts, number): 0 for number in range(4)})
    assert await reader.read(10, 0) == []
    waiting = asyncio.create_task(reader.read(10, 60))
    await place.log.append([record(place, "a")])
    async with asyncio.timeout(10):
        assert [each.key for each in await waiting] == [b"a"]
    await reader.close()


@pytest.mark.parametrize("position", [1, 99])
async def test_a_position_beyond_the_end_is_said(place: Place, position: int) -> None:
    reader = place.log.reader()
    await reader.assign({Partition(place.facts, 0): position})
    with pytest.raises(OffsetOutOfRange) as refused:
        await reader.read(10, 10)
    assert (refused.value.partition, refused.value.position) == (Partition(place.facts, 0), position)
    await reader.close()


async def test_retention_moves_the_start_and_says_so_to_who_is_behind(place: Place) -> None:
    key = keys_of(0, 1)[0]
    await place.log.append([record(place, key, "old"), record(place, key, "old")])
    await place.pass_hours(23)
    assert (await place.log.bounds(place.facts))[0] == Bounds(0, 2)
    await place.pass_hours(25)
    assert (await place.log.bounds(place.facts))[0] == Bounds(2, 2)
    await place.log.append([record(place, key, "new")])
    reader = place.log.reader()
    await reader.assign({Partition(place.facts, 0): 1})
    with pytest.raises(OffsetOutOfRange):
        await reader.read(10, 10)
    await reader.assign({Partition(place.facts, 0): 2})
    assert [each.value for each in await read(reader, 1)] == [b"new"]
    await reader.close()


async def test_one_record_can_be_looked_up_without_moving(place: Place) -> None:
    partition = Partition(place.facts, 1)
    first, second = keys_of(1, 2)
    await place.log.append([record(place, first)])
    await place.log.append([record(place, second)])
    reader = place.log.reader()
    await reader.assign({partition: 0})
    for offset, key in ((1, second), (0, first)):
        found = await reader.record_at(partition, offset)
        assert found == Record(partition, offset, key.encode(), b"v")
    assert await reader.record_at(partition, 2) is None
    assert await reader.position(partition) == 0
    await place.pass_hours(25)
    assert await reader.record_at(partition, 1) is None
    await reader.close()


async def test_a_compacted_topic_keeps_the_newest_record_of_each_key(place: Place) -> None:
    for key, value in [(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"b", None)]:
        await place.log.append([NewRecord(place.config, key, value)])
    reader = place.log.reader()
    await reader.assign({Partition(place.config, 0): 0})
    found: list[Record] = []
    while await reader.position(Partition(place.config, 0)) < 4:
        found += await reader.read(10, 5)
    newest = [(2, b"a", b"3"), (3, b"b", None)]
    assert [(each.offset, each.key, each.value) for each in found][-2:] == newest
    assert place.lazy or len(found) == 2
    await place.pass_hours(10_000)
    assert (await place.log.bounds(place.config))[0] == Bounds(0, 4)
    await reader.close()


async def test_the_incarnation_stays_and_belongs_to_one_topic(place: Place) -> None:
    before = await place.log.incarnation(place.facts)
    await place.log.append([record(place, "a")])
    assert await place.log.incarnation(place.facts) == before
    assert before == "" or before != await place.log.incarnation(place.config)


async def test_many_at_once_are_all_kept_once(place: Place) -> None:
    await asyncio.gather(*(place.log.append([record(place, f"key-{number}")]) for number in range(300)))
    assert sum(each.end for each in (await place.log.bounds(place.facts)).values()) == 300
    reader = place.log.reader()
    await reader.assign({Partition(place.facts, number): 0 for number in range(4)})
    assert sorted(each.key or b"" for each in await read(reader, 300)) == sorted(
        f"key-{number}".encode() for number in range(300)
    )
    await reader.close()


async def test_one_append_reaches_several_topics(place: Place) -> None:
    await place.log.append([record(place, "a"), NewRecord(place.config, b"c", b"{}"), record(place, "b")])
    ends = [each.end for topic in (place.facts, place.config) for each in (await place.log.bounds(topic)).values()]
    assert sum(ends) == 3


async def test_nothing_appended_is_nothing_kept(place: Place) -> None:
    assert await place.log.append([]) == place.durability
    assert await place.log.bounds(place.facts) == dict.fromkeys(range(4), Bounds(0, 0))
