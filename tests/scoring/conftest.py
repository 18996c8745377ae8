from collections.abc import AsyncIterator, Iterator

import pytest

from services.scoring.app import build
from services.scoring.settings import ScoringSettings
from shared.access import create_key
from shared.config import ConfigStore
from shared.consumer import worker
from shared.db import Database
from shared.log.memory import MemoryLog
from tests.conftest import MakeDatabase
from tests.scoring.asked import RECORDS, Api
from tests.scoring.world import HeldClock, World
from tests.sealing import SEALING


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


@pytest.fixture(scope="module")
async def api(database: MakeDatabase) -> AsyncIterator[Api]:
    settings = ScoringSettings(partitions=2, timezone="Europe/Warsaw")
    log = MemoryLog(settings.topics())
    config = ConfigStore(log, "petla.config")
    await config.start()
    service = build(settings, log, config, await database("scoring"), HeldClock(), SEALING)
    made = Api(service, log, config)
    made.key = (await create_key(config, "dashboard", ["metrics:read"])).key
    await log.append(RECORDS)
    while await service.run_once():
        pass
    yield made
    await service.stop()
    await config.stop()
