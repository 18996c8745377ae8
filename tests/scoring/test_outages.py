"""Without its database scoring answers 503 and says when to ask again; it starts without one, and heals alone."""

from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from sqlalchemy import text

from services.scoring.app import ScoringService, build
from services.scoring.settings import ScoringSettings
from shared.access import create_key
from shared.config import ConfigStore
from shared.db import Database
from shared.embedded_postgres import Server
from shared.log.memory import MemoryLog
from tests.builders import answer, fact_of
from tests.conftest import MakeDatabase
from tests.scoring.world import HeldClock
from tests.sealing import SEALING

PATHS = ["/v1/metrics/nps", f"/v1/feedback/{fact_of('f1')}", "/v1/dead-letters", "/v1/reconciliation"]


class Deployed:
    """A service on a database that may be away."""

    def __init__(self, db: Database) -> None:
        settings = ScoringSettings(partitions=1)
        self.log = MemoryLog(settings.topics())
        self.config = ConfigStore(self.log, "petla.config")
        self.db = db
        self.service: ScoringService = build(settings, self.log, self.config, db, HeldClock(), SEALING)

    async def get(self, path: str) -> httpx.Response:
        key = (await create_key(self.config, "dashboard", ["metrics:read"])).key
        transport = httpx.ASGITransport(self.service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
            return await client.get(path, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
async def deployed(database: MakeDatabase) -> AsyncIterator[Deployed]:
    made = Deployed(await database(None))
    await made.config.start()
    yield made
    await made.service.stop()
    await made.config.stop()


@pytest.fixture
async def nowhere() -> AsyncIterator[Deployed]:
    made = Deployed(Database("postgresql://petla@127.0.0.1:1/petla"))
    await made.config.start()
    yield made
    await made.service.stop()
    await made.config.stop()


@pytest.mark.parametrize("path", PATHS)
async def test_a_database_that_is_away_is_503(nowhere: Deployed, path: str) -> None:
    response = await nowhere.get(path)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "unavailable"
    assert "127.0.0.1" not in response.text


async def test_without_a_database_it_starts_and_says_what_is_missing(nowhere: Deployed) -> None:
    with pytest.raises(OSError, match="1"):
        await nowhere.service.run_once()
    ready = await nowhere.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"].startswith("the database does not answer")
    assert (await nowhere.get("/v1/metrics")).status_code == 200


async def test_before_the_first_migration_nothing_is_our_mistake(deployed: Deployed) -> None:
    for path in PATHS:
        assert (await deployed.get(path)).status_code == 503
    assert (await deployed.get("/readyz")).json()["checks"]["database"] == "not at the newest version yet"
    await deployed.service.run_once()
    assert (await deployed.get("/readyz")).status_code == 200
    assert (await deployed.get("/v1/metrics/nps")).status_code == 200


async def test_connections_that_are_cut_heal_by_themselves(deployed: Deployed, postgres: Server) -> None:
    await deployed.service.run_once()
    await deployed.log.append([answer("f1", 9)])
    await cut_connections(deployed.db, postgres)
    read = 0
    while not read:
        with suppress(Exception):  # whether it raises depends on where the driver was when the connection went
            read = await deployed.service.run_once()
    response = await deployed.get(f"/v1/feedback/{fact_of('f1')}")
    assert response.status_code == 200


async def cut_connections(db: Database, postgres: Server) -> None:
    """As when the server restarts: what lies in the pool is dead."""
    async with db.snapshot() as tx:
        name = (await tx.execute(text("SELECT current_database()"))).scalar_one()
    another = Database(postgres.url("postgres"))
    async with another.transaction() as tx:
        await tx.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
    await another.close()


async def test_a_mistake_of_ours_stays_500(deployed: Deployed) -> None:
    await deployed.service.run_once()
    async with deployed.db.transaction() as tx:
        await tx.execute(text("DROP TABLE dead_letter CASCADE"))
    response = await deployed.get("/v1/dead-letters")
    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
