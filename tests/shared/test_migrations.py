"""Bringing databases to the newest version: any number at once, in one process or several."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.db import Database
from tests.conftest import MakeDatabase

SERVICES = Path(__file__).parents[2] / "services"


async def version(database: Database) -> str:
    async with database.snapshot() as tx:
        return str((await tx.execute(text("SELECT version_num FROM alembic_version"))).scalar_one())


async def test_two_services_of_one_process_migrate_at_once(database: MakeDatabase) -> None:
    """Alembic keeps what it is doing in globals of its own."""
    scoring, alerts = await database(None), await database(None)
    await asyncio.gather(
        scoring.migrate(SERVICES / "scoring" / "migrations"), alerts.migrate(SERVICES / "alerts" / "migrations")
    )
    assert await version(scoring) == await version(alerts) == "0001"


@pytest.mark.parametrize("service", ["scoring", "alerts"])
async def test_two_who_migrate_one_database_at_once_and_one_who_comes_later(
    database: MakeDatabase, service: str
) -> None:
    one = await database(None)
    versions = SERVICES / service / "migrations"
    await asyncio.gather(one.migrate(versions), one.migrate(versions))
    await one.migrate(versions)
    assert await version(one) == "0001"
