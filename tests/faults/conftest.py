import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.kafka.properties import HOST
from shared.consumer import worker
from shared.db import Database
from shared.embedded_postgres import Server
from shared.log.kafka import KafkaLog
from shared.log.kafka_topics import create_topics
from shared.log.port import Log
from shared.log.sqlite import SqliteLog
from shared.postgres_cluster import PORT
from shared.settings import Settings
from tests.conftest import MakeDatabase
from tests.faults.proxy import Proxy, proxied
from tests.faults.wires import KafkaWire, PostgresWire
from tests.faults.world import World
from tests.kafka import Kafka

MakeWorld = Callable[[Log, Log, str], Awaitable[World]]


@pytest.fixture(autouse=True)
def nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "READ_WAIT_SECONDS", 0.02)


@pytest.fixture
async def to_postgres(postgres: Server) -> AsyncIterator[Proxy]:
    socket_file = postgres.socket_folder / f".s.PGSQL.{PORT}"
    async with proxied(lambda: asyncio.open_unix_connection(socket_file), PostgresWire) as proxy:
        yield proxy


@pytest.fixture
async def make_world(database: MakeDatabase, to_postgres: Proxy) -> AsyncIterator[MakeWorld]:
    """On a log, looked at through another one; its services go to their databases through `to_postgres`."""
    async with AsyncExitStack() as stack:

        async def make(log: Log, seen_log: Log, prefix: str) -> World:
            seen = {service: await database(service) for service in ("scoring", "alerts")}
            used = {service: await stack.enter_async_context(through(to_postgres, db)) for service, db in seen.items()}
            made = World(log, seen_log, used, seen, prefix)
            for db in seen.values():
                stack.push_async_callback(db.close)
            return made

        yield make


@asynccontextmanager
async def through(proxy: Proxy, db: Database) -> AsyncIterator[Database]:
    async with db.snapshot() as tx:
        name = (await tx.execute(text("SELECT current_database()"))).scalar_one()
    used = Database(f"postgresql://petla@127.0.0.1:{proxy.port}/{name}?sslmode=disable")
    yield used
    await used.close()


@pytest.fixture
async def embedded(make_world: MakeWorld, tmp_path: Path) -> AsyncIterator[World]:
    """On the embedded log."""
    log = SqliteLog(tmp_path / "log", Settings(topic_prefix="petla.", partitions=3).topics())
    made = await make_world(log, log, "petla.")
    yield made
    await made.stop()
    await log.close()


@pytest.fixture
async def on_kafka(make_world: MakeWorld, kafka: Kafka) -> AsyncIterator[World]:
    """On topics of its own."""
    settings = Settings(topic_prefix=f"test-{uuid.uuid4().hex[:12]}.", partitions=3)
    await create_topics(kafka.connection, settings.topics())
    log = KafkaLog(kafka.connection)
    made = await make_world(log, log, settings.topic_prefix)
    yield made
    await made.stop()
    await log.close()


@pytest.fixture(params=["embedded", "on_kafka"])
def world(request: pytest.FixtureRequest) -> World:
    """On either log."""
    made: World = request.getfixturevalue(request.param)
    return made


@pytest.fixture
async def to_kafka(kafka: Kafka) -> AsyncIterator[Proxy]:
    """A client that asks where the broker is is told: here."""
    if kafka.broker is None:
        pytest.skip("KAFKA_BOOTSTRAP_SERVERS names brokers whose addresses a proxy cannot stand for")
    node = kafka.broker.node
    async with proxied(partial(asyncio.open_connection, HOST, node.port), lambda: KafkaWire(node, proxy.port)) as proxy:
        yield proxy
