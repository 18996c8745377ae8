"""A PostgreSQL for one claim, with empty databases."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from shared.embedded_postgres import EmbeddedPostgres, Server


@asynccontextmanager
async def postgres(data: Path, *databases: str) -> AsyncIterator[tuple[Server, psutil.Process]]:
    """The process is the postmaster, whose children are the backends."""
    embedded = EmbeddedPostgres(data)
    server = await asyncio.to_thread(embedded.start)
    for name in databases:
        await asyncio.to_thread(embedded.create_database, name)
    pid = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    try:
        yield server, psutil.Process(pid)
    finally:
        await asyncio.to_thread(embedded.release)
