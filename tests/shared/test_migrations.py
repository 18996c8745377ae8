"""Bringing databases to the newest version: any number at once, of one version or of two, older or newer than it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

import shared.db
from shared.database_server import DatabaseUnsuitable
from shared.db import Database
from shared.reasons import reason
from tests.conftest import MakeDatabase
from tests.shared.releases import newest, release

SERVICES = Path(__file__).parents[2] / "services"
ADD_NAME = ["ALTER TABLE thing ADD name text"]


async def version(database: Database) -> str:
    async with database.snapshot() as tx:
        return str((await tx.execute(text("SELECT version_num FROM alembic_version"))).scalar_one())


async def somebody_migrates(database: Database) -> bool:
    holders = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = ("
    async with database.snapshot() as tx:
        found = await tx.execute(text(holders + "SELECT oid FROM pg_database WHERE datname = current_database())"))
        return bool(found.scalar_one())


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """Of a release with one table."""
    return release(tmp_path / "first", ["CREATE TABLE thing (id bigint)"])


async def test_two_services_of_one_process_migrate_at_once(database: MakeDatabase) -> None:
    """Alembic keeps what it is doing in globals of its own."""
    both = {SERVICES / name / "migrations": await database(None) for name in ("scoring", "alerts")}
    await asyncio.gather(*(one.migrate(versions) for versions, one in both.items()))
    assert [await version(one) for one in both.values()] == [newest(versions) for versions in both]


@pytest.mark.parametrize("service", ["scoring", "alerts"])
async def test_two_who_migrate_one_database_at_once_and_one_who_comes_later(
    database: MakeDatabase, service: str
) -> None:
    one = await database(None)
    versions = SERVICES / service / "migrations"
    await asyncio.gather(one.migrate(versions), one.migrate(versions))
    assert await one.migrate(versions) is None
    assert await version(one) == newest(versions)


async def test_a_newer_database_that_was_only_expanded_serves_as_it_is(
    database: MakeDatabase, first: Path, tmp_path: Path
) -> None:
    one = await database(None)
    second = release(tmp_path / "second", ADD_NAME, after=first)
    assert await one.migrate(second) is None
    assert await one.migrate(first) == "0002"
    assert await version(one) == "0002"


async def test_what_this_version_uses_was_taken_away(database: MakeDatabase, first: Path, tmp_path: Path) -> None:
    one = await database(None)
    second = release(tmp_path / "second", ADD_NAME, after=first)
    third = release(tmp_path / "third", ["ALTER TABLE thing DROP id"], after=second, unused_since="0002")
    assert await one.migrate(third) is None
    assert await one.migrate(second) == "0003"
    with pytest.raises(DatabaseUnsuitable) as refused:
        await one.migrate(first)
    assert reason(refused.value) == (
        "the database is at version 0003 and serves processes from version 0002 on, and this one knows 0001:"
        " start the Pętla that brought it there, or a newer one"
    )


async def test_a_contraction_that_fails_is_not_remembered(database: MakeDatabase, first: Path, tmp_path: Path) -> None:
    one = await database(None)
    second = release(tmp_path / "second", ["ALTER TABLE thing DROP nothing"], after=first, unused_since="0002")
    with pytest.raises(Exception, match="nothing"):
        await one.migrate(second)
    assert await one.migrate(first) is None
    assert await version(one) == "0001"


async def test_a_version_that_nobody_made_is_refused(database: MakeDatabase, first: Path) -> None:
    one = await database(None)
    await one.migrate(first)
    for strange in ("0000", "ae1027a6acf"):
        async with one.transaction() as tx:
            await tx.execute(text("UPDATE alembic_version SET version_num = :strange"), {"strange": strange})
        with pytest.raises(DatabaseUnsuitable, match=f"at version {strange}, which is none of Pętla's"):
            await one.migrate(first)


async def test_an_index_is_made_beside_the_writers_while_others_wait_for_their_turn(
    database: MakeDatabase, first: Path, tmp_path: Path
) -> None:
    """It waits for the end of every snapshot; who waits for a lock in one statement has one."""
    one = await database(None)
    await one.migrate(first)
    beside = ["SELECT pg_sleep(0.3)", "CREATE INDEX CONCURRENTLY thing_id ON thing (id)"]
    versions = release(tmp_path / "second", [], after=first, beside=beside)
    others = [Database(one.url), Database(one.url)]
    async with asyncio.timeout(30):
        migrating = asyncio.create_task(one.migrate(versions))
        while not await somebody_migrates(one):
            pass
        # As another process would: within one, they wait for each other before they come to the database.
        assert await asyncio.gather(*(other._upgrade(first) for other in others)) == ["0002", "0002"]
        await migrating
    assert await version(one) == "0002"
    for other in others:
        await other.close()


@pytest.fixture
async def humble(database: MakeDatabase, first: Path) -> AsyncIterator[Database]:
    """A user who may read and write, and change no table."""
    one = await database(None)
    await one.migrate(first)
    async with one.transaction() as tx:
        await tx.execute(text("CREATE ROLE modest LOGIN"))
        await tx.execute(text("GRANT ALL ON ALL TABLES IN SCHEMA public TO modest"))
    used = Database(one.url.replace("//petla@", "//modest@"))
    yield used
    await used.close()
    async with one.transaction() as tx:
        await tx.execute(text("DROP OWNED BY modest"))
        await tx.execute(text("DROP ROLE modest"))


async def test_who_may_not_change_an_older_one_is_told_what_to_do(
    humble: Database, first: Path, tmp_path: Path
) -> None:
    assert await humble.migrate(first) is None
    second = release(tmp_path / "second", ADD_NAME, after=first)
    with pytest.raises(DatabaseUnsuitable, match=r"run deploy/prepare\.py as their owner"):
        await humble.migrate(second)


async def test_a_table_that_is_held_for_long_is_not_queued_for(
    database: MakeDatabase, first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(shared.db._PATIENT_LIMITS, "lock_timeout", "100")
    one = await database(None)
    await one.migrate(first)
    second = release(tmp_path / "second", ADD_NAME, after=first)
    async with one.snapshot() as tx:
        await tx.execute(text("SELECT id FROM thing"))
        with pytest.raises(DatabaseUnsuitable, match="a backup perhaps: try again later"):
            await one.migrate(second)
    assert await one.migrate(second) is None
