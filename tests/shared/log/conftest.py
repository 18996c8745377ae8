"""The suite runs on every log that can be had here; each test gets an empty one with topics of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.log.memory import MemoryLog
from shared.log.port import Topic
from shared.log.sqlite import SqliteLog

TOPICS = [Topic("facts", 4, 24), Topic("config", 1, None, compacted=True)]

AnyLog = MemoryLog | SqliteLog


@pytest.fixture(params=["memory", "sqlite"])
async def log(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyLog]:
    made = MemoryLog(TOPICS) if request.param == "memory" else SqliteLog(tmp_path / "log", TOPICS)
    yield made
    await made.close()
