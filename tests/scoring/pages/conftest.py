from collections.abc import AsyncIterator

import pytest

from shared.db import Database
from tests.conftest import MakeDatabase
from tests.scoring.pages.deployment import Deployment


@pytest.fixture(scope="module")
async def module_db(database: MakeDatabase) -> Database:
    return await database("scoring")


@pytest.fixture
async def deployment(module_db: Database) -> AsyncIterator[Deployment]:
    """Emptied for every test."""
    made = Deployment(module_db)
    await made.start()
    yield made
    await made.stop()
