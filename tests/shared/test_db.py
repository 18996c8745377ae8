"""Connections with server-side limits, one place that commits, and which errors are worth another try."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared import db as database_module
from shared.database_server import connect
from shared.db import Database, first_line, is_statement_timeout, is_transient, sqlstate
from shared.statements import driver_of, fetch
from tests.conftest import MakeDatabase


@pytest.fixture(scope="module")
async def db(database: MakeDatabase) -> Database:
    made = await database(None)
    async with made.transaction() as tx:
        await tx.execute(text("CREATE TABLE kept (n integer PRIMARY KEY CHECK (n >= 0))"))
    return made


@pytest.fixture(autouse=True)
async def emptied(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("DELETE FROM kept"))


async def numbers(db: Database) -> list[int]:
    async with db.snapshot() as tx:
        return sorted((await tx.execute(text("SELECT n FROM kept"))).scalars())


async def put(db: Database, number: int) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("INSERT INTO kept VALUES (:n)"), {"n": number})


async def test_a_block_that_ends_is_committed_and_one_that_raises_is_not(db: Database) -> None:
    await put(db, 1)

    async def half() -> None:
        async with db.transaction() as tx:
            await tx.execute(text("INSERT INTO kept VALUES (2)"))
            raise KeyError

    with pytest.raises(KeyError):
        await half()
    assert await numbers(db) == [1]


async def test_a_cancelled_block_is_not_committed_and_leaks_no_connection(db: Database) -> None:
    async def half(written: asyncio.Event) -> None:
        async with db.transaction() as tx:
            await tx.execute(text("INSERT INTO kept VALUES (7)"))
            written.set()
            await asyncio.Event().wait()

    for _ in range(10):  # more than the pool holds
        written = asyncio.Event()
        task = asyncio.create_task(half(written))
        await written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await put(db, 7)
    assert await numbers(db) == [7]


async def test_a_snapshot_sees_one_state_and_writes_nothing(db: Database) -> None:
    async with db.snapshot() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM kept"))).scalar_one() == 0
        await put(db, 1)
        assert (await tx.execute(text("SELECT count(*) FROM kept"))).scalar_one() == 0
        with pytest.raises(DBAPIError, match="read-only"):
            await tx.execute(text("INSERT INTO kept VALUES (2)"))
    # The connection goes back as it was.
    await put(db, 3)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("idle_in_transaction_session_timeout", "3s"),
        ("statement_timeout", "20s"),
        ("lock_timeout", "2s"),
        ("tcp_keepalives_idle", "10"),
        ("TimeZone", "UTC"),
    ],
)
async def test_every_connection_has_its_limits_on_the_server(db: Database, setting: str, value: str) -> None:
    async with db.snapshot() as tx:
        # A socket of the file system has no keepalives: what was asked for is what counts.
        shown = "SELECT reset_val FROM pg_settings WHERE name = :name" if "tcp" in setting else f"SHOW {setting}"
        found = (await tx.execute(text(shown), {"name": setting} if "tcp" in setting else {})).scalar_one()
    assert found == value


async def test_a_client_that_is_frozen_inside_a_transaction_is_cut_off(db: Database) -> None:
    """Without it, a worker that was stopped would keep its rows from every other one."""

    async def freeze() -> None:
        async with db.transaction() as tx:
            await tx.execute(text("SET idle_in_transaction_session_timeout = 20"))
            await tx.execute(text("INSERT INTO kept VALUES (1)"))
            await gone(db, (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one())
            await tx.execute(text("INSERT INTO kept VALUES (2)"))

    with pytest.raises(DBAPIError) as raised:
        await freeze()
    assert is_transient(raised.value)
    assert await numbers(db) == []


async def half_asked(db: Database) -> asyncpg.Connection:
    """A session that holds a row and is in the middle of a statement: prepared, and never executed."""
    async with db.transaction() as tx:
        await tx.execute(text("INSERT INTO kept VALUES (1)"))
    connection = await connect(db.url, {"application_name": "petla"})
    await connection.execute("BEGIN; UPDATE kept SET n = 2")
    await connection.prepare("SELECT n FROM kept WHERE n = $1")
    return connection


async def test_a_client_frozen_in_the_middle_of_a_statement_is_cut_off_by_another(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session is busy, not idle: no time limit of the server is for it."""
    frozen = await half_asked(db)
    assert await db.end_frozen_sessions() == 0  # it has its three seconds
    monkeypatch.setitem(database_module._FROZEN_SECONDS, "reading", 0.0)
    assert await db.end_frozen_sessions() == 1
    await gone(db, frozen.get_server_pid())
    async with db.transaction() as tx:
        await tx.execute(text("UPDATE kept SET n = 3"))
    assert await numbers(db) == [3]
    frozen.terminate()


async def test_who_is_idle_or_somebody_else_is_let_be(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(database_module._FROZEN_SECONDS, "reading", 0.0)
    another = await connect(db.url, {"application_name": "psql"})
    prepared = await another.prepare("SELECT 1")
    async with db.transaction() as tx:
        await tx.execute(text("SELECT 1"))
        assert await db.end_frozen_sessions() == 0
        await tx.execute(text("SELECT 1"))
    assert await prepared.fetchval() == 1
    await another.close()


async def gone(db: Database, backend: int) -> None:
    async with asyncio.timeout(5):
        while True:
            async with db.snapshot() as tx:
                found = await tx.execute(text("SELECT 1 FROM pg_stat_activity WHERE pid = :pid"), {"pid": backend})
                if found.first() is None:
                    return


async def raised_by(db: Database, statement: str, **values: object) -> BaseException:
    with pytest.raises(Exception, match=r".") as raised:
        async with db.transaction() as tx:
            await tx.execute(text(statement), values)
    return raised.value


_RAISE = "DO $$ BEGIN RAISE EXCEPTION 'because' USING ERRCODE = '{}'; END $$"


@pytest.mark.parametrize("state", ["40001", "40P01", "53100", "53300", "55P03", "57014", "57P01", "57P03", "58030"])
async def test_these_may_pass_by_themselves(db: Database, state: str) -> None:
    error = await raised_by(db, _RAISE.format(state))
    assert sqlstate(error) == state
    assert is_transient(error)
    assert is_statement_timeout(error) == (state == "57014")


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("INSERT INTO kept VALUES (-1)", {}),
        ("INSERT INTO nowhere VALUES (1)", {}),
        ("SELECT CAST(:value AS integer)", {"value": 2**40}),
        ("SELECT CAST(:value AS text)", {"value": "a NUL \0"}),
        ("SELECT CAST(:value AS uuid)", {"value": "no uuid"}),
        ("SELECT CAST(:value AS timestamptz)", {"value": "no time"}),
        ("SELECT 1/0", {}),
    ],
)
async def test_these_stay_as_they_are(db: Database, statement: str, values: dict[str, object]) -> None:
    assert not is_transient(await raised_by(db, statement, **values))


async def test_errors_past_sqlalchemy_are_judged_alike(db: Database) -> None:
    async def past(statement: str) -> None:
        async with db.transaction() as tx:
            driver = (await tx.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.execute(statement)

    with pytest.raises(asyncpg.DeadlockDetectedError) as deadlock:
        await past(_RAISE.format("40P01"))
    with pytest.raises(asyncpg.UniqueViolationError) as twice:
        await past(_RAISE.format("23505"))
    assert is_transient(deadlock.value)
    assert not is_transient(twice.value)
    assert is_transient(asyncpg.InterfaceError("cannot call Connection.execute(): the connection is closed"))
    assert is_transient(asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"))
    assert not is_transient(asyncpg.DataError("invalid input for query argument"))
    assert not is_transient(RuntimeError("a mistake of the program"))
    assert not is_transient(ValueError("out of range"))


async def test_a_connection_that_was_cut_in_the_pool_is_not_handed_out(db: Database) -> None:
    fresh = Database(db.url, pool_size=1)
    async with fresh.transaction() as tx:
        driver = driver_of(tx)
    driver.terminate()
    await put(fresh, 1)
    async with fresh.transaction() as tx:
        driver = driver_of(tx)
    driver.terminate()
    assert [n for (n,) in await fresh.fetch("SELECT n FROM kept")] == [1]
    await fresh.close()


async def test_of_several_that_were_cut_none_is_handed_out(db: Database) -> None:
    """A server that was restarted: each of them would be another refusal to whoever asks."""
    fresh = Database(db.url, pool_size=3)
    async with fresh.transaction() as first, fresh.transaction() as second, fresh.transaction() as third:
        drivers = [driver_of(tx) for tx in (first, second, third)]
    for driver in drivers:
        driver.terminate()
    assert await numbers(fresh) == []
    async with fresh.transaction() as first, fresh.transaction() as second:
        assert await fetch(first, "SELECT n FROM kept") == await fetch(second, "SELECT n FROM kept") == []
    await fresh.close()


async def test_what_cannot_be_rolled_back_is_not_used_again(db: Database) -> None:
    fresh = Database(db.url, pool_size=1)

    async def cut_off() -> None:
        async with fresh.transaction() as tx:
            await fetch(tx, "INSERT INTO kept VALUES (1)")
            driver_of(tx).terminate()
            raise KeyError

    with pytest.raises(KeyError):
        await cut_off()
    await put(fresh, 2)
    assert await numbers(db) == [2]
    await fresh.close()


class Unwilling:
    """A connection whose server does not answer to the end of a transaction, and is there all the same."""

    def __init__(self, driver: asyncpg.Connection) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> object:
        return getattr(self._driver, name)

    async def execute(self, statement: str) -> None:
        if statement == "ROLLBACK":
            raise TimeoutError
        await self._driver.execute(statement)


async def test_what_did_not_answer_to_its_end_is_not_used_again(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Database(db.url, pool_size=1)

    async def unanswered() -> None:
        monkeypatch.setattr(database_module, "driver_of", lambda connection: Unwilling(driver_of(connection)))
        async with fresh.transaction() as tx:
            await fetch(tx, "INSERT INTO kept VALUES (1)")
            raise KeyError

    with pytest.raises(KeyError):
        await unanswered()
    monkeypatch.undo()
    await put(fresh, 2)
    assert await numbers(db) == [2]
    await fresh.close()


async def test_an_exhausted_pool_fails_in_time_and_recovers(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Database(db.url, pool_size=1)
    monkeypatch.setattr(small._engine.pool, "_timeout", 0.05)
    async with small.transaction():
        with pytest.raises(Exception, match="QueuePool limit") as raised:
            await put(small, 1)
    assert is_transient(raised.value)
    await put(small, 1)
    await small.close()


Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def starting_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What PostgreSQL says while it recovers."""
    fields = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
    if (await reader.read(1024))[4:8] == b"\x04\xd2\x16\x2f":  # would it talk TLS?
        writer.write(b"N")
        await reader.read(1024)
    writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
    await writer.drain()
    writer.close()


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.fixture
async def fake_server() -> AsyncIterator[Callable[[Answering], Awaitable[Database]]]:
    servers: list[asyncio.Server] = []
    databases: list[Database] = []

    async def make(answering: Answering) -> Database:
        servers.append(await asyncio.start_server(answering, "127.0.0.1", 0))
        port = servers[-1].sockets[0].getsockname()[1]
        databases.append(Database(f"postgresql://petla@127.0.0.1:{port}/petla"))
        return databases[-1]

    yield make
    for made in databases:
        await made.close()
    for server in servers:
        server.close()


@pytest.mark.parametrize("answering", [starting_up, hanging_up])
async def test_a_server_that_is_not_there_yet_is_a_state_and_no_mistake(
    fake_server: Callable[[Answering], Awaitable[Database]], answering: Answering
) -> None:
    away = await fake_server(answering)
    assert await away.problem() == "the database does not answer"
    with pytest.raises(Exception, match=r".") as raised:
        await put(away, 1)
    assert is_transient(raised.value)


async def test_a_refused_connection_is_worth_another_try() -> None:
    away = Database("postgresql://petla@127.0.0.1:1/petla")
    assert await away.problem() == "the database does not answer"  # anyone may read it: no address, no name
    with pytest.raises(OSError) as raised:  # noqa: PT011 - the system's own words
        await put(away, 1)
    assert is_transient(raised.value)
    await away.close()


async def test_a_working_database_has_no_problem(db: Database) -> None:
    assert await db.problem() is None


def test_an_error_is_told_in_one_line() -> None:
    assert first_line(ValueError("what it is\nand much more")) == "what it is"
    assert first_line(TimeoutError()) == "TimeoutError"
