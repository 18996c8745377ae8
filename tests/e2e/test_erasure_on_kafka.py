"""On somebody else's Kafka and PostgreSQL: no column names an erased person, nothing new does, and the rest expires."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.db import Database
from shared.log.kafka import KafkaLog
from shared.log.port import Partition
from tests.columns import holding
from tests.e2e.processes import Installation, temporary_installation, until
from tests.e2e.test_erasure import MARKS, OTHERS, PERSON, Shop, erased
from tests.kafka import Kafka
from tests.postgres_server import OperatorsServer, operators_server

pytestmark = pytest.mark.slow

TOPICS = ("feedback", "activity", "scores", "followups")
OURS = ("scores", "followups")


@pytest.fixture
def server() -> Iterator[OperatorsServer]:
    with operators_server() as made:
        made.start()
        until(made.answers, 30, "PostgreSQL")
        yield made


@pytest.fixture
def installation(kafka: Kafka, server: OperatorsServer) -> Iterator[Installation]:
    with temporary_installation(KAFKA_BOOTSTRAP_SERVERS=kafka.connection.servers) as made:
        made.environment |= {"PETLA_TOPIC_PREFIX": f"{made.data.parent.name}.", "DATABASE_URL": server.url}
        yield made


@asynccontextmanager
async def log_of(kafka: Kafka) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(kafka.connection)
    yield log
    await log.close()


async def ends(log: KafkaLog, topics: list[str]) -> dict[Partition, int]:
    return {Partition(topic, at): bounds.end for topic in topics for at, bounds in (await log.bounds(topic)).items()}


async def told_since(log: KafkaLog, starts: dict[Partition, int]) -> list[str]:
    """The marks in what was appended since."""
    reader = log.reader()
    last = await ends(log, sorted({partition.topic for partition in starts}))
    await reader.assign(starts)
    found: list[str] = []
    while [one for one in last if await reader.position(one) < last[one]]:
        for record in await reader.read(500, 1.0):
            found += [mark for mark in MARKS if mark in (record.value or b"").decode()]
    await reader.close()
    return found


async def in_databases(server: OperatorsServer) -> list[str]:
    found = []
    for name in ("scoring", "alerts"):
        database = Database(f"{server.url}/petla_{name}")
        found += [f"{name}.{one}" for one in await holding(database, MARKS)]
        await database.close()
    return found


async def test_no_column_says_who_it_was_and_the_topics_expire(
    installation: Installation, kafka: Kafka, server: OperatorsServer
) -> None:
    shop = Shop(installation)
    with shop.client() as client:
        client.send([*OTHERS, *PERSON])
        client.settled()
    shop.comment()
    before = shop.numbers()
    assert await in_databases(server)

    receipt = erased(shop, killing=False)
    assert await in_databases(server) == []
    assert shop.numbers() == before
    expected_expiry(receipt)

    prefix = installation.environment["PETLA_TOPIC_PREFIX"]
    async with log_of(kafka) as log:
        since = await ends(log, [prefix + name for name in OURS])
        everything = dict.fromkeys(await ends(log, [prefix + name for name in TOPICS]), 0)
        assert await told_since(log, everything)  # until it expires, as the receipt says
        with shop.client() as client:
            client.send(PERSON)
        assert shop.numbers() == before
        assert await told_since(log, since) == []
    assert await in_databases(server) == []


def expected_expiry(receipt: dict[str, Any]) -> None:
    """A week, deliveries a month; and a day for the segment."""
    stores = {one["store"]: one for one in receipt["stores"]}
    done = max(datetime.fromisoformat(stores[f"{name} database"]["at"]) for name in ("scoring", "alerts"))
    for name, days in (*dict.fromkeys(TOPICS, 8).items(), ("raw", 31)):
        told = stores[f"topic {name}"]
        assert told["state"] == "expires"
        assert datetime.fromisoformat(told["at"]) == done + timedelta(days=days)
    assert len(stores["scoring database, files"]["left"]) == 1
