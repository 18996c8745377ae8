"""What a database keeps beside its rows: old versions, samples, its log. Ours is rewritten, others' is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from shared.data_folder import prepare
from shared.database_server import connect
from shared.embedded_postgres import EmbeddedPostgres
from shared.erasure import traces
from shared.erasure.traces import rewrite_files
from tests.columns import in_files
from tests.data_folders import temporary_data_folder

MARKS = ("Bożydar Kłębkowski",)


class Place(NamedTuple):
    url: str
    data: Path
    connection: asyncpg.Connection


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A server of its own: its files are read while it runs."""
    with temporary_data_folder() as folder:
        postgres = EmbeddedPostgres(prepare(folder / "data"))
        server = await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(postgres.create_database, "petla")
        connection = await connect(server.url("petla"))
        await connection.execute("CREATE TABLE person (id integer PRIMARY KEY, name text)")
        await connection.execute("CREATE INDEX person_name ON person (name)")
        await connection.execute("INSERT INTO person SELECT n, $1 || n % 3 FROM generate_series(1, 500) n", MARKS[0])
        await connection.execute("ANALYZE person")
        await connection.execute("CHECKPOINT")
        await connection.execute("UPDATE person SET name = NULL")
        yield Place(server.url("petla"), folder / "data", connection)
        await connection.close()
        await asyncio.to_thread(postgres.release)


async def test_nothing_is_left_in_any_file_of_our_own_server(place: Place) -> None:
    found = " ".join(in_files(place.data, MARKS))
    assert "pg_wal" in found
    assert "base" in found
    assert await rewrite_files(place.url, ["person"], owned=True) == []
    assert in_files(place.data, MARKS) == []
    assert await place.connection.fetchval("SELECT count(*) FROM person") == 500


async def test_of_somebody_elses_server_it_says_what_stays(place: Place) -> None:
    (left,) = await rewrite_files(place.url, ["person"], owned=False)
    assert "operator" in left
    samples = await place.connection.fetch("SELECT CAST(s AS text) FROM pg_stats s WHERE tablename = 'person'")
    assert not [row for row in samples if MARKS[0] in row[0]]


async def test_a_table_that_would_take_too_long_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_LARGEST_BYTES", 1)
    (left,) = await rewrite_files(place.url, ["person"], owned=True)
    assert left.startswith("the table person is large")
