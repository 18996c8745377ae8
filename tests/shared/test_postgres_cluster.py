"""One server on one cluster: its settings and folders, and the sentence for everything that keeps it from running."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil
import pytest

from shared.embedded_postgres import EmbeddedPostgres, PostgresError, Server
from tests.data_folders import temporary_data_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as someone else")


@pytest.fixture
def data() -> Iterator[Path]:
    with temporary_data_folder() as folder:
        yield folder


async def query(server: Server, sql: str) -> object:
    connection = await asyncpg.connect(server.url("postgres").replace("+asyncpg", ""))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def one_server() -> AsyncIterator[Server]:
    with temporary_data_folder() as folder:
        postgres = EmbeddedPostgres(folder)
        yield await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(postgres.release)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("data_checksums", "on"),
        ("jit", "off"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("max_connections", "100"),
        ("shared_buffers", "128MB"),
        ("TimeZone", "UTC"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("server_encoding", "UTF8"),
    ],
)
async def test_settings(one_server: Server, setting: str, value: str) -> None:
    assert await query(one_server, f"SHOW {setting}") == value


@pytest.mark.parametrize("name", ["long" * 20, "with, comma", "with: colon"])
def test_a_path_that_no_socket_can_have_gets_a_private_folder_in_tmp(data: Path, name: str) -> None:
    folder = made(data / name)
    postgres = EmbeddedPostgres(folder)
    server = postgres.start()
    owner = (folder / "postgres").stat().st_uid
    status = server.socket_folder.stat()
    assert re.fullmatch(rf"/tmp/petla-{owner}-[0-9a-f]{{16}}", str(server.socket_folder))
    assert (status.st_mode & 0o777, status.st_uid) == (0o700, owner)
    assert asyncio.run(query(server, "SELECT 1")) == 1
    postgres.release()
    assert not server.socket_folder.exists()


def made(folder: Path) -> Path:
    """With its parent's mode."""
    folder.mkdir()
    folder.chmod(folder.parent.stat().st_mode & 0o777)
    return folder


@pytest.mark.parametrize("laid_out", ["link", "open folder"])
def test_a_socket_folder_that_someone_else_laid_out_is_refused(data: Path, laid_out: str) -> None:
    folder = made(data / ("long" * 20))
    postgres = EmbeddedPostgres(folder)
    socket_folder = postgres.start().socket_folder
    postgres.release()
    if laid_out == "link":
        socket_folder.symlink_to(made(data / "elsewhere"))
    else:
        socket_folder.mkdir()
        socket_folder.chmod(0o777)
    try:
        with pytest.raises(PostgresError, match=f"^{socket_folder}, for PostgreSQL's socket, is not a private folder"):
            postgres.start()
    finally:
        socket_folder.unlink() if laid_out == "link" else socket_folder.rmdir()


def test_a_url_survives_spaces_and_marks() -> None:
    folder = Path("/srv/Pętla data/a&b")
    url = Server(folder).url("petla_scoring")
    assert url.startswith("postgresql+asyncpg://petla@/petla_scoring?host=/srv/P%C4%99tla%20data/a%26b")
    assert parse_qs(urlsplit(url).query)["host"] == [str(folder)]


def test_a_log_past_ten_megabytes_is_emptied_at_the_next_start(data: Path) -> None:
    log = data / "postgres.log"
    log.write_bytes(b"x" * 10_000_001)
    postgres = EmbeddedPostgres(data)
    postgres.start()
    assert b"ready to accept connections" in log.read_bytes()
    assert log.stat().st_size < 100_000
    postgres.release()


def pid_line(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().partition("\n")[0])


def test_a_killed_server_does_not_stay_a_zombie_of_the_process_that_started_it(data: Path) -> None:
    postgres = EmbeddedPostgres(data)
    postgres.start()
    killed = psutil.Process(pid_line(data))
    killed.kill()
    deadline = time.monotonic() + 10
    while killed.is_running() and time.monotonic() < deadline:
        pass
    assert not killed.is_running()
    postgres.release()


def test_a_zombie_is_no_server(data: Path) -> None:
    postgres = EmbeddedPostgres(data)
    postgres.start()
    postgres.release()
    with subprocess.Popen(["true"]) as zombie:
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
        (data / "postgres" / "postmaster.pid").write_text(f"{zombie.pid}\n{data / 'postgres'}\n" + "\n" * 5 + "ready\n")
        postgres.start()
        assert pid_line(data) != zombie.pid
        postgres.release()


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_cluster_that_cannot_be_made_leaves_nothing(data: Path) -> None:
    binaries = made(data / "bin")
    program(binaries / "postgres", "exit 1")
    program(
        binaries / "initdb",
        'touch "$2/PG_VERSION"; echo "initdb: error: could not write: No space left on device"; exit 1',
    )
    with pytest.raises(
        PostgresError, match=r"could not make its folder .*\(could not write: No space left on device\)"
    ):
        EmbeddedPostgres(data, binaries=binaries).start()
    assert not list(data.glob("postgres*/**/PG_VERSION"))
    postgres = EmbeddedPostgres(data)
    assert asyncio.run(query(postgres.start(), "SELECT 1")) == 1
    postgres.release()


def test_a_server_that_does_not_start_says_why(data: Path) -> None:
    postgres = EmbeddedPostgres(data)
    postgres.start()
    postgres.release()
    (data / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(
        PostgresError, match=r"did not start \(database files are incompatible with server / .*version 12"
    ):
        postgres.start()


def test_missing_binaries_are_named(data: Path) -> None:
    with pytest.raises(PostgresError, match=f"no program 'postgres' in {data}: point PETLA_POSTGRES_BIN at"):
        EmbeddedPostgres(data, binaries=data).start()


def test_a_database_cannot_be_made_without_a_server(data: Path) -> None:
    with pytest.raises(PostgresError, match=r"^The database petla_alerts cannot be made in"):
        EmbeddedPostgres(data).create_database("petla_alerts")


def test_a_data_folder_that_is_not_there_is_named(data: Path) -> None:
    with pytest.raises(PostgresError, match=f"cannot be run in {data / 'none'} .*: mend that, or name another folder"):
        EmbeddedPostgres(data / "none").start()


@as_root
def test_a_folder_that_is_closed_to_the_servers_account_is_named_and_stays_closed(data: Path) -> None:
    closed = data / "closed"
    closed.mkdir(mode=0o700)
    inner = closed / "inner"
    inner.mkdir(mode=0o755)
    with pytest.raises(PostgresError, match=f"^PostgreSQL runs as 'nobody', whom {closed} does not let in: .*'chmod o"):
        EmbeddedPostgres(inner).start()
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_a_cluster_of_another_user_is_refused(data: Path) -> None:
    postgres = EmbeddedPostgres(data)
    postgres.start()
    postgres.release()
    os.chown(data / "postgres", 1, 1)
    with pytest.raises(
        PostgresError, match=f"^The database in {data / 'postgres'} belongs to 'daemon' and this process"
    ):
        postgres.start()
