"""When a seed was played first on some data, and that simulated events never mix with real ones."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.demo.playing import first_start
from services.running import StartError
from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.settings import Settings
from tests.demo.clocks import HeldClock

NOW = HeldClock().now()


@pytest.fixture
async def config() -> AsyncIterator[ConfigStore]:
    store = ConfigStore(MemoryLog(Settings().topics()), "petla.config")
    await store.start()
    yield store
    await store.stop()


def found(read: int) -> dict[str, Any]:
    return {"topics": {"petla.feedback": {"read": 0}, "petla.activity": {"read": read}}}


async def start(config: ConfigStore, seed: int = 1, read: int = 0, days: int = 0) -> datetime:
    return await first_start(config, seed, NOW + timedelta(days=days), found(read))


async def test_the_first_start_is_remembered(config: ConfigStore) -> None:
    assert await start(config) == NOW
    assert await start(config, days=3, read=400) == NOW


async def test_another_seed_starts_for_itself(config: ConfigStore) -> None:
    await start(config)
    assert await start(config, seed=2, days=3, read=400) == NOW + timedelta(days=3)


async def test_real_events_are_not_mixed_with(config: ConfigStore) -> None:
    with pytest.raises(StartError, match="real events"):
        await start(config, read=1)
    assert config.items("demo/") == []
