"""The embedded PostgreSQL's own log never repeats what stands in a row, whatever fails."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared.database_server import connect
from shared.embedded_postgres import Server

PERSON = "Jadwiga Nowakowska"


@pytest.fixture
async def connection(postgres: Server) -> AsyncIterator[asyncpg.Connection]:
    """With a table that holds one person."""
    made = await connect(postgres.url("postgres"))
    await made.execute(
        f"CREATE TABLE person (name text PRIMARY KEY, age integer); INSERT INTO person VALUES ('{PERSON}')"
    )
    yield made
    await made.execute("DROP TABLE person")
    await made.close()


def written(server: Server) -> str:
    return (server.socket_folder.parent / "postgres.log").read_text("utf-8")


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO person VALUES ('{PERSON}')",  # the detail names the key
        f"SELECT CAST('{PERSON}' AS integer)",  # the message itself quotes the value
        f'SELECT 1/0 AS "{PERSON}"',  # the text of the statement
    ],
)
async def test_what_a_failed_statement_says_goes_to_its_client_only(
    postgres: Server, connection: asyncpg.Connection, statement: str
) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await connection.execute(statement)
    assert PERSON not in written(postgres)


async def test_a_connection_that_is_ended_does_not_show_what_it_was_asked(
    postgres: Server, connection: asyncpg.Connection
) -> None:
    ended = await connect(postgres.url("postgres"))
    pid = ended.get_server_pid()
    asked = asyncio.create_task(ended.execute(f"SELECT '{PERSON}' FROM pg_sleep(60)"))
    async with asyncio.timeout(20):
        while await connection.fetchval("SELECT wait_event FROM pg_stat_activity WHERE pid = $1", pid) != "PgSleep":
            assert not asked.done()
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)
    with pytest.raises((asyncpg.PostgresError, ConnectionError)):
        await asked
    assert f"[{pid}] FATAL:  terminating connection due to administrator command" in written(postgres)
    assert PERSON not in written(postgres)
