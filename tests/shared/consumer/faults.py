"""What goes wrong inside a handler: each raises through the connection of the batch."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_RAISE = "DO $$ BEGIN RAISE EXCEPTION 'as the test wants it' USING ERRCODE = '{}'; END $$"

Fault = Callable[[AsyncConnection], Awaitable[None]]


def server_says(state: str) -> Fault:
    """An error of the server with this SQLSTATE, through SQLAlchemy."""

    async def fault(tx: AsyncConnection) -> None:
        await tx.execute(text(_RAISE.format(state)))

    return fault


def driver_says(state: str) -> Fault:
    """The same past SQLAlchemy, as it comes out of a COPY."""

    async def fault(tx: AsyncConnection) -> None:
        driver: Any = (await tx.get_raw_connection()).driver_connection
        await driver.execute(_RAISE.format(state))

    return fault


async def server_gone(tx: AsyncConnection) -> None:
    await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


async def too_slow(tx: AsyncConnection) -> None:
    await tx.execute(text("SET LOCAL statement_timeout = 10"))
    await tx.execute(text("SELECT pg_sleep(10)"))
