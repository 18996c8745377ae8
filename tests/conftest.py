"""One PostgreSQL a test run. `database("alerts")` gives a fresh, migrated database of that service, in about 0.1 s."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
import structlog

from shared.data_folder import prepare
from shared.db import Database
from shared.embedded_postgres import EmbeddedPostgres, Server
from shared.postgres_cluster import PORT
from tests.browser import chromium  # noqa: F401 - a fixture
from tests.data_folders import temporary_data_folder
from tests.kafka import broker, kafka  # noqa: F401 - fixtures

MakeDatabase = Callable[[str | None], Awaitable[Database]]

_TESTS = Path(__file__).parent
_SERVICES = _TESTS.parent / "services"
# They start processes of their own, and hold them to a time.
_OF_PROCESSES = {"chaos", "demo", "deploy", "e2e", "faults"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of whole processes run one after another, those within this process beside them (`make test`)."""
    for item in items:
        if item.path.relative_to(_TESTS).parts[0] in _OF_PROCESSES:
            item.add_marker(pytest.mark.xdist_group("processes"))


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """For whoever sets logs up, as every command does: the tests behind it want theirs."""
    before, last, kafka_least = structlog.get_config(), logging.lastResort, logging.getLogger("aiokafka").level
    yield
    structlog.configure(**before)
    logging.lastResort = last
    logging.getLogger("aiokafka").setLevel(kafka_least)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with temporary_data_folder() as folder:
        embedded = EmbeddedPostgres(prepare(folder / "data"))
        yield embedded.start()
        embedded.release()


@pytest.fixture(scope="session")
async def database(postgres: Server) -> AsyncIterator[MakeDatabase]:
    """Ask once a module (None: an empty database); all are closed at the end of the run."""
    databases = _Databases(postgres)
    yield databases.make
    await databases.close()


class _Databases:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._templates: set[str] = set()
        self._made: list[Database] = []

    async def make(self, service: str | None = None) -> Database:
        template = await self._template(service) if service else "template0"
        name = f"test_{len(self._made)}"
        await self._create(name, template)
        self._made.append(Database(self._server.url(name)))
        return self._made[-1]

    async def close(self) -> None:
        for database in self._made:
            await database.close()

    async def _template(self, service: str) -> str:
        """Migrated once; the others are copies of its files."""
        name = f"template_{service}"
        if name not in self._templates:
            await self._create(name, "template0")
            migrating = Database(self._server.url(name))
            await migrating.migrate(_SERVICES / service / "migrations")
            await migrating.close()
            self._templates.add(name)
        return name

    async def _create(self, name: str, template: str) -> None:
        connection = await asyncpg.connect(
            host=str(self._server.socket_folder), port=PORT, user="petla", database="postgres"
        )
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            # No test cuts the power, and waiting for the disk would be most of their time.
            await connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit TO off')
        finally:
            await connection.close()
