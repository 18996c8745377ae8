"""What a database is told, statement by statement: each is a way there and back, and small batches are little else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shared.statements import driver_of


@asynccontextmanager
async def statements(db: Any) -> AsyncIterator[list[str]]:
    """What is said on the connection that `db` used last, which it uses next; the rows of a COPY are not told."""
    said: list[str] = []

    def note(told: Any) -> None:
        said.append(" ".join(told.query.split()))

    async with db.transaction() as tx:
        driver = driver_of(tx)
    driver.add_query_logger(note)
    try:
        yield said
        await asyncio.sleep(0)  # the driver tells of a statement in the next turn
    finally:
        driver.remove_query_logger(note)
