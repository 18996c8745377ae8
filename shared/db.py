"""PostgreSQL connections and the only place that commits.

Every connection has server-side time limits: a frozen or cut-off client cannot hold rows for long, and the fence of the
consumers depends on it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from asyncpg import InterfaceError, InternalClientError, PostgresError
from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.database_server import DatabaseUnsuitable, connect, create_database, refuse_old
from shared.schema import upgrade
from shared.statements import Driver, Rows, driver_of

IDLE_IN_TRANSACTION_SECONDS = 3.0
_LIMITS = {
    "idle_in_transaction_session_timeout": f"{int(IDLE_IN_TRANSACTION_SECONDS * 1000)}",
    "statement_timeout": "20000",
    "lock_timeout": "2000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
    "jit": "off",
    "application_name": "petla",
}
# No limit of the server covers a client that fell silent in the middle of a statement, between its parts or while the
# answer is written: the session counts as busy. `patient` ones have another name, and may be.
_END_FROZEN = text("""
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name = 'petla' AND state = 'active'
        AND state_change < clock_timestamp() - make_interval(secs => CASE wait_event
            WHEN 'ClientRead' THEN CAST(:reading AS float8) WHEN 'ClientWrite' THEN CAST(:writing AS float8) END)""")
# A table that somebody holds for longer, like a backup, must not make everybody else queue behind the migration.
_PATIENT_LIMITS = {name: _LIMITS[name] for name in _LIMITS if "keepalives" in name or name == "timezone"} | {
    "lock_timeout": "10000"
}
_MIGRATION_REFUSED = {
    "42501": "this user may not change the tables of the database: run deploy/prepare.py as their owner",
    "55P03": "somebody has been using a table for 10 s that a migration changes, a backup perhaps: try again later",
}
_TAKE_TURN = text("SELECT pg_try_advisory_lock(hashtext('petla.migrate'))")
_TURN_SECONDS, _COMMAND_SECONDS, _PROBE_SECONDS = 0.1, 25.0, 3.0
_FROZEN_SECONDS = {"reading": IDLE_IN_TRANSACTION_SECONDS, "writing": _COMMAND_SECONDS}
# SQLSTATE classes and codes that say "try again": connection, transaction rollback, resources, operator, locks.
_TRANSIENT = ("08", "40", "53", "57", "58", "25P03", "55P03")
_STATEMENT_TIMEOUT = "57014"
_NO_SUCH_DATABASE = "3D000"
_log = structlog.get_logger(__name__)


class Database:
    """A pool on one database. `url` is `postgresql://…`, read as every other client of PostgreSQL reads it.

    `patient`: for a command that nothing waits for, whose statements may take hours.
    """

    # Alembic keeps what it is doing in globals: two migrations of one process would run into each other's database.
    _migrating = asyncio.Lock()

    def __init__(self, url: str, *, pool_size: int = 8, patient: bool = False) -> None:
        self.url = url
        limits = (_PATIENT_LIMITS, None) if patient else (_LIMITS, _COMMAND_SECONDS)
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=partial(connect, url, *limits),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_use_lifo=True,
            isolation_level="AUTOCOMMIT",  # `transaction` says itself where one begins
        )
        self._spare: AsyncConnection | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commits when the block ends, rolls back when it raises. Read committed.

        Its beginning and its end go past SQLAlchemy, like most of what the consumers say in between.
        """
        async with self._connection() as connection:
            driver = driver_of(connection)
            try:
                await driver.execute("BEGIN")
                yield connection
                await driver.execute("COMMIT")
            except BaseException:
                await _roll_back(connection, driver)
                raise

    async def fetch(self, statement: str, *values: Any) -> Rows:
        """One statement that is a transaction of its own, as in `statements`."""
        async with self._connection() as connection:
            return await driver_of(connection).fetch(statement, *values)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        """The last one again where it is free: to have one from the pool costs as much as two statements."""
        connection = await self._take()
        try:
            yield connection
        except BaseException:
            await asyncio.shield(connection.close())
            raise
        if connection.in_transaction():  # of SQLAlchemy's own account, where it was used
            await connection.rollback()
        if self._spare is None:
            self._spare = connection
        else:
            await connection.close()

    async def _take(self) -> AsyncConnection:
        """One that was not cut off meanwhile: the pool does not look at what it hands out, and may hold several."""
        spare, self._spare = self._spare, None
        connection = spare or await self._engine.connect()
        try:
            if driver_of(connection).is_closed():
                await connection.invalidate()
                await connection.get_raw_connection()  # a new one: the pool gives first what came back last
        except BaseException:
            await asyncio.shield(connection.close())
            raise
        return connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """For reading: every statement of the block sees the same state; nothing is written."""
        connection = await self._take()
        try:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection
        finally:
            await asyncio.shield(connection.close())

    async def end_frozen_sessions(self) -> int:
        """End what clients of ours hold that were frozen in the middle of a statement; how many there were."""
        async with self.snapshot() as tx:
            ended = (await tx.execute(_END_FROZEN, _FROZEN_SECONDS)).scalar_one()
        if ended:
            _log.warning("frozen_sessions_ended", count=ended)
        return int(ended)

    async def problem(self) -> str | None:
        """That the database cannot be used at the moment, or None. Anyone may read it: why stands in the log."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS), self._engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return "the database does not answer"
        return None

    async def migrate(self, versions: Path) -> str | None:
        """Make the database if it is missing and bring it to the newest of `versions`; any number may call it at once.

        Returns None, or the version of a database that is newer and serves this process as it is. `DatabaseUnsuitable`
        where it does not, where the server is too old, or where the user may not do what is missing.
        """
        async with self._migrating:
            await self._make_sure_it_exists()
            try:
                newer = await self._upgrade(versions)
            except DBAPIError as error:
                if sentence := _MIGRATION_REFUSED.get(sqlstate(error) or ""):
                    raise DatabaseUnsuitable(sentence) from error
                raise
        if newer:
            _log.info("schema_is_newer", version=newer)
        return newer

    async def _make_sure_it_exists(self) -> None:
        try:
            async with self._engine.connect() as connection:
                version = (await connection.execute(text("SHOW server_version_num"))).scalar_one()
                refuse_old("the database", int(version) // 10_000)
        except Exception as error:
            if sqlstate(error) != _NO_SUCH_DATABASE:
                raise
            await create_database(self.url)

    async def _upgrade(self, versions: Path) -> str | None:
        """On a connection of its own that may work for hours, and waits for a table as long as nobody minds."""
        unhurried = partial(connect, self.url, _PATIENT_LIMITS)
        engine = create_async_engine("postgresql+asyncpg://", async_creator=unhurried, poolclass=NullPool)
        async with engine.connect() as connection:
            # Asked for again and again: who waits in one statement has a snapshot, for whose end an index that is
            # made beside the writers waits, and so both would wait for ever.
            while not (await connection.execute(_TAKE_TURN)).scalar_one():
                await connection.commit()
                await asyncio.sleep(_TURN_SECONDS)
            await connection.commit()
            return await connection.run_sync(upgrade, versions)

    async def close(self) -> None:
        spare, self._spare = self._spare, None
        if spare:
            await spare.close()
        await self._engine.dispose()


async def _roll_back(connection: AsyncConnection, driver: Driver) -> None:
    """What does not come back is not used again."""
    try:
        if not driver.is_closed() and driver.is_in_transaction():
            with suppress(Exception):
                await driver.execute("ROLLBACK")
    finally:
        if driver.is_closed() or driver.is_in_transaction():
            await connection.invalidate()


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed when it is tried again, as far as the database can tell."""
    if isinstance(error, OSError | TimeoutError):
        return True
    cause = _driver_error(error)
    if cause is None:
        return isinstance(error, SQLAlchemyError) and "QueuePool limit" in str(error)
    if state := sqlstate(error):
        return state.startswith(_TRANSIENT)
    # Without a code the server never saw it: the connection broke, or a value cannot be sent (a ValueError).
    return not isinstance(cause, ValueError | TypeError | OverflowError)


def is_statement_timeout(error: BaseException) -> bool:
    return sqlstate(error) == _STATEMENT_TIMEOUT


def sqlstate(error: BaseException) -> str | None:
    """The server's code for what went wrong, None for what it never saw."""
    return getattr(_driver_error(error), "sqlstate", None)


def _driver_error(error: BaseException) -> BaseException | None:
    """What the driver raised: SQLAlchemy wraps it, but COPY goes past SQLAlchemy."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error if isinstance(error, PostgresError | InterfaceError | InternalClientError) else None


def first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
