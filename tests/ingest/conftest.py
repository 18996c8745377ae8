from collections.abc import AsyncIterator

import pytest

from tests.ingest.running import RunningIngest


@pytest.fixture
async def ingest() -> AsyncIterator[RunningIngest]:
    running = RunningIngest()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def limited() -> AsyncIterator[RunningIngest]:
    """Ten events a second from a source."""
    running = RunningIngest(per_second=10)
    await running.start()
    yield running
    await running.stop()
