from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from shared.consumer import worker
from shared.db import Database
from shared.log.memory import MemoryLog
from tests.conftest import MakeDatabase
from tests.shared.consumer.ledger import TABLES, TOPICS, Ledger


@pytest.fixture(scope="session")
async def ledger_db(database: MakeDatabase) -> Database:
    db = await database(None)
    async with db.transaction() as tx:
        for statement in TABLES:
            await tx.execute(text(statement))
    return db


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "READ_WAIT_SECONDS", 0.0)


@pytest.fixture
async def ledger(ledger_db: Database) -> AsyncIterator[Ledger]:
    made = Ledger(ledger_db, MemoryLog(TOPICS))
    await made.empty()
    yield made
    for process in made.processes:
        await process.worker.stop()
