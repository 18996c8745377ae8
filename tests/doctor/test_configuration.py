"""What the doctor says of keys and erasures, as `petla.config` has them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.doctor.configuration import looked_at
from shared.access import create_key
from shared.config import ConfigStore
from shared.erasure.names import Names
from shared.erasure.requests import Requests
from shared.log.memory import MemoryLog
from shared.log.port import Topic
from shared.sealing import Sealing
from tests.sealing import SEALING

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OTHER = Sealing(b"the secret that was set before")


@pytest.fixture
async def config() -> AsyncIterator[ConfigStore]:
    made = ConfigStore(MemoryLog([Topic("petla.config", 1, None, compacted=True)]), "petla.config")
    await made.start()
    yield made
    await made.stop()


async def test_without_a_key_nobody_can_send(config: ConfigStore) -> None:
    assert [str(one).split()[:2] for one in looked_at(config, None)] == [["warn", "keys"]]
    await create_key(config, "shop", ["events:write"])
    assert [str(one) for one in looked_at(config, None)] == ["ok    keys  1 work"]


async def test_an_erasure_of_another_secret_is_told_of(config: ConfigStore) -> None:
    await Requests(config, Names(SEALING)).ask("c-1", NOW)
    assert [one.name for one in looked_at(config, SEALING)] == ["keys"]
    assert [one.name for one in looked_at(config, None)] == ["keys"]
    (_, told) = looked_at(config, OTHER)
    assert (told.level, told.name) == ("warn", "erasures")
    assert told.sentence.startswith("1 were asked for under another PETLA_SECRET")
