"""Configuration on a topic that Kafka has compacted: offsets with holes hide nothing and hold nothing up."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.config import ConfigStore
from shared.log.kafka import KafkaLog
from shared.log.port import NewRecord, Partition, Record, Topic
from tests.kafka import Kafka
from tests.shared.log.conftest import administrator

# A segment ends after a moment, and what lies in ended ones is compacted as soon as the broker looks.
AT_ONCE = {"cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0.001"}


@pytest.fixture
async def log(kafka: Kafka) -> AsyncIterator[KafkaLog]:
    made = KafkaLog(kafka.connection)
    yield made
    await made.close()


async def everything(log: KafkaLog, partition: Partition) -> list[Record]:
    start, end = (await log.bounds(partition.topic))[0]
    reader = log.reader()
    await reader.assign({partition: start})
    found: list[Record] = []
    while await reader.position(partition) < end:
        found += await reader.read(1000, 5)
    await reader.close()
    return found


async def with_holes(kafka: Kafka, log: KafkaLog) -> tuple[Partition, list[Record]]:
    """A topic whose first records are gone: keys a and b were written again and again, c once, d was deleted."""
    (topic,) = await kafka.make(Topic("config", 1, None, compacted=True))
    if kafka.broker is None:
        pytest.skip("a broker that is not ours compacts when it pleases")
    async with administrator(kafka) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, AT_ONCE)])
    partition = Partition(topic.name, 0)
    await log.append([NewRecord(topic.name, key, b'{"n": 0}') for key in (b"a", b"c", b"b", b"d")])
    await log.append([NewRecord(topic.name, b"d", None)])
    async with asyncio.timeout(30):
        number = 1
        while True:
            await log.append([NewRecord(topic.name, key, b'{"n": %d}' % number) for key in (b"a", b"b")])
            found = await everything(log, partition)
            if found[0].offset > 0:
                return partition, found
            number += 1


async def test_a_compacted_topic_is_read_whole_and_followed(kafka: Kafka, log: KafkaLog) -> None:
    partition, left = await with_holes(kafka, log)
    newest = [record.value for record in left if record.key == b"a"][-1]
    store = ConfigStore(log, partition.topic)
    async with asyncio.timeout(30):
        await store.start()
        assert newest == b'{"n": %d}' % store._values["a"]["n"]
        assert (store.get("c"), store.get("d")) == ({"n": 0}, None)
        await store.put("e", {"n": 1})
        await store.put("a", None)
        assert (store.get("e"), store.get("a")) == ({"n": 1}, None)
    assert store.problem is None
    await store.stop()


async def test_a_hole_is_no_record_and_its_neighbours_are_found(kafka: Kafka, log: KafkaLog) -> None:
    partition, left = await with_holes(kafka, log)
    offsets = {record.offset for record in left}
    holes = set(range(max(offsets))) - offsets
    assert holes
    reader = log.reader()
    for record in {record.key: record for record in left}.values():  # older ones may go at any moment
        assert await reader.record_at(partition, record.offset) == record
    for hole in (min(holes), max(holes)):
        assert await reader.record_at(partition, hole) is None
    assert (await log.bounds(partition.topic))[0].start == 0  # compaction does not move it
    await reader.assign({partition: min(holes)})
    assert (await reader.read(1, 5))[0].offset == min(offset for offset in offsets if offset > min(holes))
    await reader.close()
