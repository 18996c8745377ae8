from collections.abc import AsyncIterator

import pytest

from tests.ingest.webhooks.doors import SECRET, Doors


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    """With the secret of `repairs`, a source of the API."""
    running = Doors({"PETLA_SOURCE_REPAIRS_SECRET": SECRET})
    await running.start()
    await running.add("repairs")
    yield running
    await running.stop()
