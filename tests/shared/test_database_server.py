"""Databases on somebody's PostgreSQL server: made when missing, refused in one sentence when they cannot be."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.database_server import DatabaseUnsuitable, connect, create_database, refuse_old, server_url
from shared.db import Database, is_transient
from shared.embedded_postgres import Server
from shared.reasons import reason
from tests.postgres_server import operators_server

ALERTS_MIGRATIONS = Path("services/alerts/migrations")


@pytest.fixture
async def name(postgres: Server) -> AsyncIterator[str]:
    """Of a database that is not there yet, and is not there any more."""
    yield "new base"
    connection = await connect(postgres.url("postgres"))
    await connection.execute('DROP DATABASE IF EXISTS "new base" WITH (FORCE)')
    await connection.close()


async def ask(url: str, question: str) -> object:
    connection = await connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_missing_database_is_made_once(postgres: Server, name: str) -> None:
    assert sorted(await asyncio.gather(*(create_database(postgres.url(name)) for _ in range(4)))) == [
        False,
        False,
        False,
        True,
    ]
    assert await create_database(postgres.url(name)) is False


async def test_letters_have_their_case_in_a_new_database(postgres: Server, name: str) -> None:
    await create_database(postgres.url(name))
    assert await ask(postgres.url(name), "SELECT lower('ŻÓŁĆ')") == "żółć"
    assert await ask(postgres.url(name), "SHOW server_encoding") == "UTF8"


async def test_migrations_make_the_database_they_need(postgres: Server, name: str) -> None:
    databases = [Database(postgres.url(name)) for _ in range(2)]
    await asyncio.gather(*(one.migrate(ALERTS_MIGRATIONS) for one in databases))
    async with databases[0].snapshot() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM followup"))).scalar_one() == 0
    for one in databases:
        await one.close()


async def test_who_may_not_make_it_is_told_what_to_do(postgres: Server, name: str) -> None:
    connection = await connect(postgres.url("postgres"))
    await connection.execute("CREATE ROLE humble LOGIN")
    database = Database(postgres.url(name).replace("//petla@", "//humble@"))
    try:
        with pytest.raises(DatabaseUnsuitable, match="grant CREATEDB") as refused:
            await database.migrate(ALERTS_MIGRATIONS)
        assert "grant CREATEDB" in reason(refused.value)
    finally:
        await database.close()
        await connection.execute("DROP ROLE humble")
        await connection.close()


def test_an_old_server_is_refused() -> None:
    refuse_old("the database", 15)
    with pytest.raises(DatabaseUnsuitable, match="on PostgreSQL 14: Pętla needs 15 or later"):
        refuse_old("the database", 14)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40@db:5433/petla_x?sslmode=require", "postgresql://u:p%40@db:5433/postgres?sslmode=require"),
        ("postgresql+asyncpg://petla@/x?host=/run/pg", "postgresql://petla@/postgres?host=/run/pg"),
        ("postgresql://db", "postgresql://db/postgres"),
    ],
)
def test_another_database_of_the_same_server(url: str, expected: str) -> None:
    assert server_url(url, "postgres") == expected


async def test_the_oldest_postgresql_that_is_promised_will_do() -> None:
    with operators_server() as server:
        server.start()
        await migrated(Database(f"{server.url}/petla_alerts"))


async def migrated(database: Database) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await database.migrate(ALERTS_MIGRATIONS)
                break
            except Exception as error:
                if not is_transient(error):  # it is still starting
                    raise
    async with database.snapshot() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM followup"))).scalar_one() == 0
        assert (await tx.execute(text("SHOW idle_in_transaction_session_timeout"))).scalar_one() == "3s"
    await database.close()
