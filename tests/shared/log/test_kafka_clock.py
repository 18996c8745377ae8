"""When a record came is Kafka's to say: the clock of whoever appends decides neither whether it is taken nor how long
it stays.
"""

import time
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.log import kafka_rows
from shared.log.kafka import KafkaLog
from shared.log.port import NewRecord, Topic
from tests.kafka import Kafka

HOUR, DAY = 3_600, 86_400


@pytest.mark.parametrize("wrong", [2 * HOUR, -30 * DAY])
async def test_a_wrong_clock_neither_refuses_nor_expires(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    """By its own default Kafka takes nothing that is an hour ahead, and at once forgets what looks a week old."""
    (topic,) = await kafka.make(Topic("facts", 1, 168))
    monkeypatch.setattr(kafka_rows, "time", SimpleNamespace(time=lambda: time.time() + wrong))
    log = KafkaLog(kafka.connection)
    assert await log.append([NewRecord(topic.name, b"k", b"v")]) != "local"
    await log.close()

    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.connection.servers, **kafka.connection.options)
    await consumer.start()
    at = TopicPartition(topic.name, 0)
    consumer.assign([at])
    await consumer.seek_to_beginning(at)
    found = await consumer.getone(at)
    await consumer.stop()
    assert abs(found.timestamp / 1000 - time.time()) < HOUR / 2
