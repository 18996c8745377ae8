from collections.abc import AsyncIterator, Iterator

import pytest

from shared.consumer import worker
from shared.db import Database
from tests.conftest import MakeDatabase
from tests.scoring.world import World


@pytest.fixture(scope="session")
async def scoring_db(database: MakeDatabase) -> Database:
    return await database("scoring")


@pytest.fixture(autouse=True, scope="module")
def nobody_waits() -> Iterator[None]:
    patched = pytest.MonkeyPatch()
    patched.setattr(worker, "READ_WAIT_SECONDS", 0.0)
    yield
    patched.undo()


@pytest.fixture
async def world(scoring_db: Database) -> AsyncIterator[World]:
    made = World(scoring_db)
    await made.empty()
    yield made
    await made.worker.stop()
