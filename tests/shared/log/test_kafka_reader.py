"""A reader does not believe a consumer that says nothing: it watches the time, and what there is to read."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, OffsetOutOfRangeError

from shared.log import kafka_reader
from shared.log.kafka_reader import KafkaReader, Portion
from shared.log.kafka_topics import TopicMissing
from shared.log.port import Bounds, LogUnavailable, OffsetOutOfRange, Partition
from tests.shared.log.fake_kafka import FakeConsumer, Fetched, disposable

FIRST, SECOND = Partition("facts", 0), Partition("facts", 1)


def records(*offsets: int) -> list[Fetched]:
    return [Fetched(offset, b"k", b"v") for offset in offsets]


class World:
    """A reader on fake consumers: `scripts` are handed out one after the other, `now` is its clock."""

    def __init__(self, *scripts: FakeConsumer) -> None:
        self.made: list[FakeConsumer] = []
        self.now = 1_000.0
        self.end = 0
        self.missing: set[str] = set()
        given, finders = iter(scripts), disposable([], FakeConsumer)
        consumers = disposable(self.made, lambda: next(given))
        self.portion = Portion()
        self.reader = KafkaReader(consumers, self.portion, finders, self.bounds, self.partitions, lambda: self.now)

    async def partitions(self, topic: str) -> int:
        if topic in self.missing:
            raise TopicMissing(f"{topic} does not exist")
        return 2

    async def bounds(self, topic: str) -> dict[int, Bounds]:
        return {0: Bounds(0, self.end), 1: Bounds(0, self.end)}


async def test_a_consumer_that_misses_what_is_there_is_replaced_after_fifteen_seconds() -> None:
    world = World(FakeConsumer(), FakeConsumer({TopicPartition(*FIRST): records(3, 4)}))
    world.end = 5
    await world.reader.assign({FIRST: 3})
    assert await world.reader.read(10, 0) == []
    world.now += 14
    assert await world.reader.read(10, 0) == []
    assert len(world.made) == 1
    world.now += 2
    assert await world.reader.read(10, 0) == []
    assert [found.offset for found in await world.reader.read(10, 0)] == [3, 4]
    assert world.made[0].stopped
    await world.reader.close()


async def test_a_consumer_that_has_nothing_to_read_is_left_alone() -> None:
    world = World(FakeConsumer())
    world.end = 3
    await world.reader.assign({FIRST: 3})
    for _ in range(5):
        assert await world.reader.read(10, 0) == []
        world.now += 20
    assert len(world.made) == 1
    await world.reader.close()


async def test_a_consumer_that_hears_nothing_is_given_up_after_three_seconds() -> None:
    world = World(FakeConsumer(answers=False), FakeConsumer({TopicPartition(*FIRST): records(0)}))
    await world.reader.assign({FIRST: 0})
    assert await world.reader.read(10, 0) == []
    world.now += 4
    with pytest.raises(LogUnavailable, match="Kafka has sent nothing for 3 seconds"):
        await world.reader.read(10, 0)
    assert [found.offset for found in await world.reader.read(10, 0)] == [0]
    await world.reader.close()


async def test_a_consumer_that_was_not_asked_for_a_while_is_given_three_seconds_again() -> None:
    """While a batch is being committed the broker is asked for nothing, however long that takes."""
    world = World(FakeConsumer({TopicPartition(*FIRST): records(0)}))
    world.end = 1
    await world.reader.assign({FIRST: 0})
    assert len(await world.reader.read(10, 0)) == 1
    world.now += 60
    world.made[0].silent_seconds = 60
    assert await world.reader.read(10, 0) == []
    world.now += 4
    world.made[0].silent_seconds = 64
    with pytest.raises(LogUnavailable, match="Kafka has sent nothing for 3 seconds"):
        await world.reader.read(10, 0)
    await world.reader.close()


async def test_who_hears_nothing_asks_for_less_and_later_for_more_again() -> None:
    """A slow line does not carry much in the time that an answer has."""
    silent = [FakeConsumer(answers=False) for _ in range(5)]
    world = World(*silent, FakeConsumer({TopicPartition(*FIRST): records(0)}))
    await world.reader.assign({FIRST: 0})
    sizes = [world.portion.size]
    for _ in silent:
        assert await world.reader.read(10, 0) == []
        world.now += 4
        with pytest.raises(LogUnavailable):
            await world.reader.read(10, 0)
        sizes.append(world.portion.size)
    mebibyte = 1024 * 1024
    assert sizes == [48 * mebibyte, 3 * mebibyte, 3 * mebibyte // 16, 12 * 1024, 8 * 1024, 8 * 1024]
    assert len(await world.reader.read(10, 0)) == 1
    assert not world.made[-1].stopped
    world.made[-1].waiting = {TopicPartition(*FIRST): records(1)}
    world.now += 16
    assert len(await world.reader.read(10, 0)) == 1
    assert world.portion.size == 128 * 1024
    await asyncio.sleep(0)
    assert world.made[-1].stopped
    await world.reader.close()


async def test_who_was_answered_before_asks_for_as_much_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the broker that fell silent, not the line that is slow."""
    monkeypatch.setattr(kafka_reader, "SILENCE_SECONDS", -1.0)
    world = World(FakeConsumer())
    await world.reader.assign({FIRST: 0})
    with pytest.raises(LogUnavailable):
        await world.reader.read(10, 0)
    assert world.portion.size == Portion().size
    await world.reader.close()


async def test_after_an_error_another_consumer_reads_on_from_the_same_place() -> None:
    world = World(FakeConsumer(), FakeConsumer())
    await world.reader.assign({FIRST: 7})
    await world.reader.read(10, 0)
    world.made[0].positions[TopicPartition(*FIRST)] = 9  # how far aiokafka got before it failed
    world.made[0].error = CorruptRecordException()
    with pytest.raises(LogUnavailable):
        await world.reader.read(10, 0)
    assert await world.reader.position(FIRST) == 7
    await world.reader.read(10, 0)
    assert world.made[1].positions == {TopicPartition(*FIRST): 7}
    await world.reader.close()


async def test_an_error_of_one_partition_does_not_lose_what_another_gave() -> None:
    consumer = FakeConsumer({TopicPartition(*FIRST): records(0, 1)})
    consumer.error = OffsetOutOfRangeError({TopicPartition(*SECOND): 99})
    world = World(consumer, FakeConsumer())
    await world.reader.assign({FIRST: 0, SECOND: 99})
    assert [found.offset for found in await world.reader.read(10, 0)] == [0, 1]
    with pytest.raises(OffsetOutOfRange):
        await world.reader.read(10, 0)
    assert await world.reader.position(FIRST) == 2
    await world.reader.close()


async def test_a_position_out_of_range_names_partition_and_place() -> None:
    consumer = FakeConsumer()
    consumer.error = OffsetOutOfRangeError({TopicPartition(*SECOND): 99})
    world = World(consumer)
    await world.reader.assign({FIRST: 0, SECOND: 99})
    with pytest.raises(OffsetOutOfRange) as told:
        await world.reader.read(10, 0)
    assert (told.value.partition, told.value.position) == (SECOND, 99)
    await world.reader.close()


async def test_a_topic_that_is_gone_is_not_asked_for_again_and_again() -> None:
    world = World(FakeConsumer())
    world.missing = {"facts"}
    await world.reader.assign({FIRST: 0})
    for _ in range(2):
        with pytest.raises(TopicMissing):
            await world.reader.read(10, 0)
    assert world.made[0].positions == {}
    world.missing = set()
    assert await world.reader.read(10, 0) == []
    assert world.made[0].positions == {TopicPartition(*FIRST): 0}
    await world.reader.close()


async def test_who_was_served_comes_last_next_time() -> None:
    world = World(FakeConsumer({TopicPartition(*FIRST): records(0)}))
    await world.reader.assign({FIRST: 0, SECOND: 0})
    await world.reader.read(1, 0)
    world.made[0].waiting = {TopicPartition(*FIRST): records(1), TopicPartition(*SECOND): records(0)}
    assert [found.partition for found in await world.reader.read(1, 0)] == [SECOND]
    async with asyncio.timeout(5):
        await world.reader.close()
