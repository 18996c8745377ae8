"""The suite runs on every log that can be had here; each test gets an empty one with topics of its own."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.log.kafka import KafkaLog
from shared.log.memory import MemoryLog
from shared.log.port import Durability, Log, Topic
from shared.log.sqlite import SqliteLog
from tests.kafka import Kafka

TOPICS = [Topic("facts", 4, 24), Topic("config", 1, None, compacted=True)]
HOUR_MS = 3_600_000


class Place(NamedTuple):
    """A log under test: the names of its topics, and what depends on who keeps it.

    `pass_hours` lets that much time pass for retention. A lazy one compacts when it pleases.
    """

    log: Log
    facts: str
    config: str
    durability: Durability
    pass_hours: Callable[[int], Awaitable[None]]
    lazy: bool = False


@asynccontextmanager
async def embedded(log: MemoryLog | SqliteLog) -> AsyncIterator[Place]:
    async def pass_hours(hours: int) -> None:
        await log.expire(int(time.time() * 1000) + hours * HOUR_MS)

    yield Place(log, "facts", "config", "local", pass_hours)
    await log.close()


@asynccontextmanager
async def on_kafka(kafka: Kafka) -> AsyncIterator[Place]:
    facts, config = await kafka.make(*TOPICS)
    log = KafkaLog(kafka.connection)

    async def pass_hours(hours: int) -> None:
        """Kafka's clock cannot be set; what its retention does to a topic is a command too."""
        if facts.retention_hours is not None and hours > facts.retention_hours:
            ends = {TopicPartition(facts.name, at): each.end for at, each in (await log.bounds(facts.name)).items()}
            async with administrator(kafka) as client:
                await client.delete_records({at: RecordsToDelete(before_offset=end) for at, end in ends.items()})

    yield Place(log, facts.name, config.name, "broker", pass_hours, lazy=True)
    await log.close()


@asynccontextmanager
async def administrator(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.connection.servers, **kafka.connection.options)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture(params=["memory", "sqlite", "kafka"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    made: AbstractAsyncContextManager[Place]
    if request.param == "memory":
        made = embedded(MemoryLog(TOPICS))
    elif request.param == "sqlite":
        made = embedded(SqliteLog(tmp_path / "log", TOPICS))
    else:
        made = on_kafka(request.getfixturevalue("kafka"))
    async with made as place:
        yield place
