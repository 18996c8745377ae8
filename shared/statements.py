"""Statements on the driver itself, within the transaction of a connection: what every batch sends, however small it is.

SQLAlchemy would cost six times as much for each. `$1` marks a value here, as PostgreSQL has it, and what fails is an
error of the driver (`db.is_transient` knows both).
"""

from typing import Any, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

Driver = asyncpg.Connection
Rows = list[asyncpg.Record]


def driver_of(connection: AsyncConnection) -> Driver:
    """Of one that is open."""
    assert connection.sync_connection is not None
    return cast(Driver, connection.sync_connection.connection.driver_connection)


async def fetch(tx: AsyncConnection, statement: str, *values: Any) -> Rows:
    """Prepared once a connection."""
    return await driver_of(tx).fetch(statement, *values)


async def run(tx: AsyncConnection, script: str) -> str:
    """Any number of statements without values in one go; what the server says of the last: `SELECT 3` is three rows."""
    return await driver_of(tx).execute(script)
