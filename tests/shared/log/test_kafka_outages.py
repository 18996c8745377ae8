"""The log on a Kafka that is killed, frozen or not there yet: nothing acknowledged is lost, nobody waits for long."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from deploy.kafka.broker import Broker
from shared.log.kafka import KafkaLog
from shared.log.port import LogUnavailable, NewRecord, Partition, Reader, Topic
from tests.kafka import Kafka

# Two seconds are promised; the rest is for a machine that does other things too.
MOST_SECONDS = 6.0
FACTS = Topic("facts", 2, 24)


@pytest.fixture
async def log(kafka: Kafka) -> AsyncIterator[KafkaLog]:
    made = KafkaLog(kafka.connection)
    yield made
    await made.close()


class Reading:
    """What one reader has seen of a topic so far; outages are waited out."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.keys: set[bytes] = set()

    async def until(self, *wanted: bytes) -> None:
        async with asyncio.timeout(60):
            while not self.keys.issuperset(wanted):
                try:
                    self.keys |= {record.key or b"" for record in await self.reader.read(1000, 1)}
                except LogUnavailable:
                    await asyncio.sleep(0)

    async def on(self) -> None:
        while True:
            await self.reader.read(1000, 1)


@pytest.fixture
async def reading(log: KafkaLog) -> AsyncIterator[Reading]:
    reader = log.reader()
    yield Reading(reader)
    await reader.close()


async def append_until_kept(log: KafkaLog, record: NewRecord) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                await log.append([record])
                return
            except LogUnavailable:
                await asyncio.sleep(0)


class Sender:
    """Appends one record after the other; after a failure waits for `again`."""

    def __init__(self, log: KafkaLog, topic: str) -> None:
        self.kept: set[bytes] = set()
        self.failures: list[float] = []
        self.failed, self.again = asyncio.Event(), asyncio.Event()
        self._log = log
        self._topic = topic

    async def send(self, name: str, kept_after: int) -> None:
        """Until so many were kept after the outage."""
        number = 0
        while kept_after:
            key, began = f"{name}-{number}".encode(), time.monotonic()
            number += 1
            try:
                await self._log.append([NewRecord(self._topic, key, b"v" * 500)])
            except LogUnavailable:
                self.failures.append(time.monotonic() - began)
                self.failed.set()
                await self.again.wait()
            else:
                self.kept.add(key)
                kept_after -= self.again.is_set()


async def test_a_broker_killed_while_records_come_loses_none_it_acknowledged(
    kafka: Kafka, broker: Broker, log: KafkaLog, reading: Reading
) -> None:
    (topic,) = await kafka.make(FACTS)
    await reading.reader.assign({Partition(topic.name, 0): 0, Partition(topic.name, 1): 0})
    sender = Sender(log, topic.name)
    await log.append([NewRecord(topic.name, b"first", b"v")])
    sending = [asyncio.create_task(sender.send(name, kept_after=20)) for name in "abcd"]
    await reading.until(b"first")
    await asyncio.to_thread(broker.kill)
    async with asyncio.timeout(MOST_SECONDS):
        await sender.failed.wait()
    assert log.problem == "Kafka does not take records: the log of the service says why"  # anyone may read it
    await asyncio.to_thread(broker.start)
    sender.again.set()
    async with asyncio.timeout(60):
        await asyncio.gather(*sending)
    assert max(sender.failures) < MOST_SECONDS
    await reading.until(*sender.kept)
    assert log.problem is None


async def test_a_frozen_broker_is_given_up_in_time_and_used_again(
    kafka: Kafka, broker: Broker, log: KafkaLog, reading: Reading
) -> None:
    (topic,) = await kafka.make(FACTS)
    await reading.reader.assign({Partition(topic.name, 0): 0, Partition(topic.name, 1): 0})
    await log.append([NewRecord(topic.name, b"before", b"v")])
    await reading.until(b"before")
    broker.freeze()
    for key in (b"frozen-1", b"frozen-2"):  # four seconds
        began = time.monotonic()
        with pytest.raises(LogUnavailable, match=r"Kafka has not answered|nothing answers"):
            await log.append([NewRecord(topic.name, key, b"v")])
        assert time.monotonic() - began < MOST_SECONDS
    with pytest.raises(LogUnavailable):
        await reading.on()
    with pytest.raises(LogUnavailable):
        await log.bounds(topic.name)
    broker.thaw()
    await append_until_kept(log, NewRecord(topic.name, b"after", b"v"))
    await reading.until(b"after")


async def test_a_frozen_broker_does_not_hold_up_the_end(kafka: Kafka, broker: Broker) -> None:
    (topic,) = await kafka.make(FACTS)
    log = KafkaLog(kafka.connection)
    reader = log.reader()
    await reader.assign({Partition(topic.name, 0): 0})
    await log.append([NewRecord(topic.name, b"k", b"v")])
    await reader.read(1, 0.1)
    broker.freeze()
    waiting = asyncio.create_task(log.append([NewRecord(topic.name, b"k", b"v")]))
    await asyncio.sleep(0)
    async with asyncio.timeout(2 * MOST_SECONDS):
        await asyncio.gather(reader.close(), log.close())
    with pytest.raises(LogUnavailable):
        await waiting


async def test_a_broker_that_is_not_there_yet_is_found_once_it_is(
    kafka: Kafka, broker: Broker, log: KafkaLog, reading: Reading
) -> None:
    (topic,) = await kafka.make(FACTS)
    record = NewRecord(topic.name, b"k", b"v")
    await asyncio.to_thread(broker.kill)
    await reading.reader.assign({Partition(topic.name, 0): 0, Partition(topic.name, 1): 0})
    asked = (log.append([record]), log.bounds(topic.name), log.partitions(topic.name), reading.reader.read(1, 0))
    for attempt in asked:
        with pytest.raises(LogUnavailable, match=f"no Kafka at {broker.address}.*KAFKA_BOOTSTRAP_SERVERS"):
            await attempt
    await asyncio.to_thread(broker.start)
    await append_until_kept(log, record)
    await reading.until(b"k")
