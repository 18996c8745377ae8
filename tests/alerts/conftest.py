from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from shared.db import Database
from tests.alerts.running import RunningAlerts
from tests.alerts.world import World
from tests.conftest import MakeDatabase

# In an order that the foreign keys allow. DELETE, as TRUNCATE makes new files and waits for the disk.
_TABLES = (
    "notification",
    "followup_event",
    "suppression",
    "seen_feedback",
    "followup",
    "activity",
    "consumer_offset",
    "consumer_tally",
    "worker",
    "dead_letter",
    "erase_request",
    "survey_refusal",
    "survey_bucket",
    "survey_refusals_known",
)


@pytest.fixture(scope="module")
async def module_db(database: MakeDatabase) -> Database:
    return await database("alerts")


@pytest.fixture
async def db(module_db: Database) -> Database:
    """Emptied for every test."""
    async with module_db.transaction() as tx:
        for table in _TABLES:
            await tx.execute(text(f"DELETE FROM {table}"))
    return module_db


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    made = World(db)
    yield made
    await made.worker.stop()


@pytest.fixture
async def alerts(db: Database) -> AsyncIterator[RunningAlerts]:
    running = RunningAlerts(db)
    await running.start()
    yield running
    await running.stop()
