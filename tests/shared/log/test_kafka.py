"""What the log on Kafka promises beyond the suite: on the client's settings, and on topics that change under it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.partitioner import DefaultPartitioner

from shared.log import kafka_reader, kafka_topics
from shared.log.kafka import KafkaLog
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_topics import TopicMissing, create_topics
from shared.log.partitioning import murmur2, partition_of, partitions_of
from shared.log.port import (
    Bounds,
    LogUnavailable,
    NewRecord,
    OffsetOutOfRange,
    Partition,
    Reader,
    Record,
    RecordsRefused,
    Topic,
)
from tests.kafka import Kafka
from tests.shared.log.conftest import administrator

FACTS = Topic("facts", 2, 24)
LARGER_THAN_A_BATCH = 1_100_000


@pytest.fixture
async def log(kafka: Kafka) -> AsyncIterator[KafkaLog]:
    made = KafkaLog(kafka.connection)
    yield made
    await made.close()


async def read(reader: Reader, count: int) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += await reader.read(1000, 5)
    return found


async def until(attempt: Callable[[], Awaitable[object]], *passing: type[Exception]) -> object:
    """The first answer; what may pass is tried again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await attempt()
            except passing:
                await asyncio.sleep(0)


async def test_a_read_finds_all_that_came_since_the_last(kafka: Kafka, log: KafkaLog) -> None:
    """Not the first alone, which a consumer that asks ahead would have been told at once."""
    (topic,) = await kafka.make(FACTS)
    reader = log.reader()
    await reader.assign({Partition(topic.name, number): 0 for number in range(topic.partitions)})
    await log.append([NewRecord(topic.name, b"key", b"first")])
    assert [record.value for record in await read(reader, 1)] == [b"first"]
    for number in range(5):
        await log.append([NewRecord(topic.name, b"key", b"%d" % number)])
    assert [record.value for record in await reader.read(1000, 5)] == [b"0", b"1", b"2", b"3", b"4"]
    await reader.close()


async def test_the_consumer_hands_records_out_as_they_were_parsed(kafka: Kafka, log: KafkaLog) -> None:
    """A `ConsumerRecord` of each would cost a third of the read."""
    (topic,) = await kafka.make(Topic("facts", 1, 24))
    await log.append([NewRecord(topic.name, b"key", b"%d" % number) for number in range(3)])
    consumers, partition = kafka_reader.consumer(kafka.connection), TopicPartition(topic.name, 0)
    client = await consumers.get()
    client.assign([partition])
    client.seek(partition, 1)  # in the middle of what was written together
    found = (await client.getmany(timeout_ms=5_000, max_records=1))[partition]
    found += (await client.getmany(timeout_ms=5_000, max_records=5))[partition]
    assert [(record.offset, record.key, record.value) for record in found] == [(1, b"key", b"1"), (2, b"key", b"2")]
    assert not any(isinstance(record, ConsumerRecord) for record in found)
    await consumers.close()


def test_its_partitions_are_those_of_kafkas_own_producers() -> None:
    theirs, numbers = DefaultPartitioner(), list(range(12))
    for _ in range(1_000):
        key = random.randbytes(random.randrange(1, 70))
        assert partition_of(key, 12) == theirs(key, numbers, numbers)


def test_many_keys_at_once_get_the_partitions_they_have_alone() -> None:
    for count in range(40):
        keys = [random.randbytes(4) for _ in range(count)]
        assert partitions_of(keys, 12) == [(murmur2(key) & 0x7FFFFFFF) % 12 for key in keys]
        keys.append(b"longer")
        assert partitions_of(keys, 12) == [(murmur2(key) & 0x7FFFFFFF) % 12 for key in keys]


async def test_the_consumer_never_jumps_and_never_commits() -> None:
    consumer = kafka_reader.consumer(KafkaConnection("127.0.0.1:9"))._make()
    assert (consumer._auto_offset_reset, consumer._enable_auto_commit, consumer._group_id) == ("none", False, None)
    await consumer.stop()


async def test_topics_are_made_once_with_their_retention(kafka: Kafka) -> None:
    facts, config = await kafka.make(FACTS, Topic("config", 1, None, compacted=True))
    assert await create_topics(kafka.connection, [facts, config]) == []
    wanted = {"cleanup.policy": "", "retention.ms": "", "min.insync.replicas": ""}
    async with administrator(kafka) as client:
        found = {topic.name: await settings_of(client, topic.name, wanted) for topic in (facts, config)}
    assert (found[facts.name]["cleanup.policy"], found[facts.name]["retention.ms"]) == ("delete", "86400000")
    assert (found[config.name]["cleanup.policy"], found[config.name]["retention.ms"]) == ("compact", "-1")


async def settings_of(client: AIOKafkaAdminClient, topic: str, wanted: dict[str, str]) -> dict[str, str]:
    resource = kafka_topics.ConfigResource(kafka_topics.ConfigResourceType.TOPIC, topic, wanted)
    (answer,) = await client.describe_configs([resource])
    return {entry[0]: entry[1] for resource in answer.resources for entry in resource[4]}


async def test_a_record_too_large_is_refused_and_its_neighbours_are_kept(kafka: Kafka, log: KafkaLog) -> None:
    (topic,) = await kafka.make(Topic("facts", 1, 24))
    large = NewRecord(topic.name, b"large", b"x" * LARGER_THAN_A_BATCH)
    small = [NewRecord(topic.name, f"small-{number}".encode(), b"v") for number in range(3)]
    with pytest.raises(RecordsRefused, match=r"max\.message\.bytes") as refused:
        await log.append([*small[:2], large, small[2]])
    assert refused.value.records == [large]
    assert log.problem is None
    assert await log.append([small[0]]) == "broker"
    assert (await log.bounds(topic.name))[0].end == 4


async def test_a_topic_that_takes_less_than_a_batch_gets_smaller_ones(kafka: Kafka, log: KafkaLog) -> None:
    (topic,) = await kafka.make(Topic("facts", 1, 24))
    resource = kafka_topics.ConfigResource(
        kafka_topics.ConfigResourceType.TOPIC, topic.name, {"max.message.bytes": "5000"}
    )
    async with administrator(kafka) as client:
        await client.alter_configs([resource])
    records = [NewRecord(topic.name, str(number).encode(), b"x" * 1_000) for number in range(20)]
    large = NewRecord(topic.name, b"large", b"x" * 6_000)

    async def refused() -> object:  # the broker takes the new limit on in its own time
        with pytest.raises(RecordsRefused) as told:
            await log.append([*records, large])
        return told.value.records

    assert await until(refused, pytest.fail.Exception) == [large]
    reader = log.reader()
    await reader.assign({Partition(topic.name, 0): (await log.bounds(topic.name))[0].end - 20})
    assert {found.key for found in await read(reader, 20)} == {record.key for record in records}
    await reader.close()


async def test_a_topic_that_is_not_there_is_said_and_seen_once_it_is(kafka: Kafka, log: KafkaLog) -> None:
    (topic,) = await kafka.make(FACTS)
    later = topic._replace(name=f"{topic.name}-later")
    record = NewRecord(later.name, b"k", b"v")
    for attempt in (log.append([record]), log.partitions(later.name), log.bounds(later.name)):
        with pytest.raises(TopicMissing, match="does not exist on this Kafka: make it with"):
            await attempt
    await create_topics(kafka.connection, [later])
    assert await log.append([record]) == "broker"


async def test_a_topic_that_grows_is_used_in_full(kafka: Kafka, log: KafkaLog, monkeypatch: pytest.MonkeyPatch) -> None:
    (topic,) = await kafka.make(FACTS)
    await log.append([NewRecord(topic.name, b"k", b"v")])
    async with administrator(kafka) as client:
        await client.create_partitions({topic.name: NewPartitions(6)})
    monkeypatch.setattr(kafka_topics, "FRESH_SECONDS", 0.0)

    async def grown() -> int:
        assert await log.partitions(topic.name) == 6
        return 6

    await until(grown, AssertionError)
    key = next(key for key in (str(number).encode() for number in range(100)) if partition_of(key, 6) == 5)
    await until(lambda: log.append([NewRecord(topic.name, key, b"v")]), LogUnavailable)
    assert (await log.bounds(topic.name))[5] == Bounds(0, 1)
    reader = log.reader()
    await reader.assign({Partition(topic.name, 5): 0})
    assert [found.key for found in await read(reader, 1)] == [key]
    await reader.close()


async def test_a_topic_made_anew_is_noticed_by_who_was_further(kafka: Kafka, log: KafkaLog) -> None:
    (topic,) = await kafka.make(Topic("facts", 1, 24))
    partition = Partition(topic.name, 0)
    await log.append([NewRecord(topic.name, b"k", b"old") for _ in range(3)])
    reader = log.reader()
    await reader.assign({partition: 0})
    assert len(await read(reader, 3)) == 3
    async with administrator(kafka) as client:
        await client.delete_topics([topic.name])

    async def made_anew() -> None:
        assert await create_topics(kafka.connection, [topic]) == [topic.name]

    await until(made_anew, AssertionError, LogUnavailable)
    await until(lambda: log.append([NewRecord(topic.name, b"k", b"new")]), LogUnavailable)
    with pytest.raises(OffsetOutOfRange) as noticed:
        await until(lambda: read(reader, 1), LogUnavailable)
    assert noticed.value.position == 3
    assert await log.bounds(topic.name) == {0: Bounds(0, 1)}
    assert await reader.record_at(partition, 2) is None
    await reader.assign({partition: 0})
    assert [found.value for found in await read(reader, 1)] == [b"new"]
    await reader.close()
