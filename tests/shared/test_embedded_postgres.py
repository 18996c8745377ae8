"""The life of the embedded PostgreSQL among several processes, as root (which runs it as `nobody`) and otherwise."""

import asyncio
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from shared.embedded_postgres import EmbeddedPostgres, PostgresError, stop
from tests.data_folders import temporary_data_folder
from tests.shared.holders import Holder, ended, kill, running, server_process

NewHolder = Callable[..., Holder]


@pytest.fixture(params=["root", "ordinary user"])
def user(request: pytest.FixtureRequest) -> str | None:
    """Whom the processes of the test run as; None: whoever runs the tests."""
    if os.geteuid() == 0:
        return None if request.param == "root" else "daemon"
    if request.param == "root":
        pytest.skip("only root can run as root")
    return None


@pytest.fixture
def data(user: str | None) -> Iterator[Path]:
    with temporary_data_folder(user) as folder:
        data = folder / "a folder"
        data.mkdir()
        os.chown(data, folder.stat().st_uid, folder.stat().st_gid)
        data.chmod(folder.stat().st_mode & 0o777)
        yield data


@pytest.fixture
def new_holder(data: Path, user: str | None) -> Iterator[NewHolder]:
    holders = []

    def make(folder: Path = data, **environment: str) -> Holder:
        holders.append(Holder(folder, user, environment))
        return holders[-1]

    yield make
    for holder in holders:
        holder.close()


async def query(url: str, sql: str) -> Any:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_new_database_knows_polish_letters_whatever_the_environment(
    new_holder: NewHolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    holder = new_holder(LANG="C", LC_ALL="C", PGPORT="1", PGOPTIONS="-c jit=on")
    url = holder.ask("start", "petla_scoring")
    holder.ask("create_database", "petla_scoring")
    holder.ask("create_database", "petla_scoring")
    assert await query(url, "SELECT lower('ZAŻÓŁĆ GĘŚLĄ JAŹŃ')") == "zażółć gęślą jaźń"
    assert await query(url, "SELECT current_database()") == "petla_scoring"


def test_the_server_is_never_root_knows_no_secret_and_has_its_own_session(
    data: Path, new_holder: NewHolder, user: str | None
) -> None:
    holder = new_holder(PETLA_SECRET="hidden")
    holder.ask("start", "postgres")
    server = running(data)
    expected = "nobody" if os.geteuid() == 0 and user is None else user or pwd.getpwuid(os.geteuid()).pw_name
    assert set(server.uids()) == {pwd.getpwnam(expected).pw_uid}
    assert "hidden" not in server.environ().values()
    assert os.getsid(server.pid) == server.pid, "Ctrl-C in the terminal must not reach it"
    private = [data / "postgres", data / "postgres-socket", data / "postgres.log"]
    assert [path.stat().st_mode & 0o077 for path in private] == [0, 0, 0]


def test_a_second_process_joins_and_the_last_one_stops_it(data: Path, new_holder: NewHolder) -> None:
    first, second = new_holder(), new_holder()
    first_url, second_url = first.ask("start", "a"), second.ask("start", "a")
    assert first_url == second_url
    server = running(data)
    first.ask("release")
    assert running(data) == server
    second.ask("release")
    assert ended(server)
    assert b"database system is shut down" in (data / "postgres.log").read_bytes()


async def test_what_was_written_is_there_after_a_stop(data: Path, new_holder: NewHolder) -> None:
    holder = new_holder()
    url = holder.ask("start", "postgres")
    await query(url, "CREATE TABLE kept AS SELECT 7 AS n")
    holder.ask("release")
    assert server_process(data) is None
    holder.ask("start", "postgres")
    assert await query(url, "SELECT n FROM kept") == 7


def test_a_server_whose_only_holder_was_killed_is_adopted(data: Path, new_holder: NewHolder) -> None:
    killed, adopter = new_holder(), new_holder()
    killed.ask("start", "a")
    server = running(data)
    killed.kill()
    adopter.ask("start", "a")
    assert running(data) == server
    adopter.ask("release")
    assert server_process(data) is None


async def test_a_killed_server_is_started_anew_by_the_process_that_used_it(data: Path, new_holder: NewHolder) -> None:
    holder = new_holder()
    url = holder.ask("start", "postgres")
    await query(url, "CREATE TABLE kept AS SELECT 7 AS n")
    killed = kill(data)
    holder.ask("start", "postgres")
    assert running(data) != killed
    assert await query(url, "SELECT n FROM kept") == 7
    holder.ask("release")
    assert server_process(data) is None


async def test_when_the_server_and_all_its_users_were_killed_the_next_one_starts_it(
    data: Path, new_holder: NewHolder
) -> None:
    first, second = new_holder(), new_holder()
    await query(first.ask("start", "postgres"), "CREATE TABLE kept AS SELECT 7 AS n")
    first.kill()
    kill(data)
    assert (data / "postgres" / "postmaster.pid").exists()
    assert await query(second.ask("start", "postgres"), "SELECT n FROM kept") == 7


async def test_a_start_waits_for_the_children_of_a_killed_server(data: Path, new_holder: NewHolder) -> None:
    holder = new_holder()
    url = holder.ask("start", "postgres")
    busy = """DO $$ DECLARE started timestamptz := clock_timestamp(); BEGIN
        PERFORM pg_advisory_lock(1);
        WHILE clock_timestamp() < started + interval '1.5 s' LOOP END LOOP; END $$"""
    query_of_the_child = asyncio.create_task(query(url, busy))
    locked = None
    while locked is None:
        locked = await query(url, "SELECT true FROM pg_locks WHERE locktype = 'advisory'")
    kill(data)
    await asyncio.to_thread(holder.ask, "start", "postgres")
    assert await query(url, "SELECT 1") == 1
    assert b"pre-existing shared memory block" in (data / "postgres.log").read_bytes()
    await asyncio.gather(query_of_the_child, return_exceptions=True)


@pytest.fixture
def stranger(data: Path, user: str | None) -> Iterator[subprocess.Popen[bytes]]:
    """A live process of the server's user, which PostgreSQL would take for a server, with our folder in its command."""
    account = ("nobody" if user is None else user) if os.geteuid() == 0 else None
    command = ["/bin/sh", "-c", "read line", str(data / "postgres")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, user=account) as process:
        yield process
        process.kill()


def test_a_pid_that_went_to_a_stranger_is_no_server(
    data: Path, new_holder: NewHolder, stranger: subprocess.Popen[bytes]
) -> None:
    first, second = new_holder(), new_holder()
    first.ask("start", "a")
    first.kill()
    pid_file, gone = data / "postgres" / "postmaster.pid", running(data).pid
    kill(data)
    pid_file.write_text(pid_file.read_text().replace(str(gone), str(stranger.pid), 1))
    (data / "postgres-socket" / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
    assert stop(data) is False
    second.ask("start", "a")
    assert running(data).pid != stranger.pid
    second.ask("release")
    assert stranger.poll() is None


def test_three_first_starts_at_once_make_one_server(data: Path, new_holder: NewHolder) -> None:
    holders = [new_holder() for _ in range(3)]
    for holder in holders:
        holder.send("start", "petla_alerts")
    urls = {holder.receive() for holder in holders}
    for holder in holders:
        holder.send("create_database", "petla_alerts")
    assert [holder.receive() for holder in holders] == [None, None, None]
    assert asyncio.run(query(urls.pop(), "SELECT current_database()")) == "petla_alerts"
    assert not urls
    assert server_process(data) is not None
    for holder in holders:
        holder.send("release")
    assert [holder.receive() for holder in holders] == [None, None, None]
    assert server_process(data) is None
    assert [path.name for path in data.glob("postgres.new*")] == []


def test_stop_ends_a_server_that_was_left(data: Path, new_holder: NewHolder) -> None:
    holder = new_holder()
    holder.ask("start", "a")
    server = running(data)
    holder.kill()
    assert stop(data) is True
    assert ended(server)
    assert stop(data) is False


def test_stop_refuses_while_a_process_uses_the_server_and_names_it(data: Path, new_holder: NewHolder) -> None:
    holder = new_holder()
    holder.ask("start", "a")
    with pytest.raises(PostgresError, match=rf"Pętla still runs on .*\(process {holder.process.pid}\): end it first"):
        stop(data)
    assert server_process(data) is not None
    holder.ask("release")


def test_stop_of_a_folder_that_never_was_changes_nothing(data: Path) -> None:
    assert stop(data / "none") is False
    assert stop(data) is False
    assert list(data.iterdir()) == []


def test_a_release_without_a_start_does_nothing(data: Path) -> None:
    EmbeddedPostgres(data).release()
    assert list(data.iterdir()) == []


async def test_a_server_that_is_stopping_is_waited_for(data: Path, new_holder: NewHolder) -> None:
    holder = new_holder()
    url = holder.ask("start", "postgres")
    stopping = running(data)
    client = await asyncpg.connect(url.replace("+asyncpg", ""))
    stopping.send_signal(signal.SIGTERM)  # it takes no new clients, and ends when this one leaves
    while "stopping" not in (data / "postgres" / "postmaster.pid").read_text():
        pass
    holder.send("start", "postgres")
    await client.close()
    await asyncio.to_thread(holder.receive)
    assert running(data) != stopping
    assert await query(url, "SELECT 1") == 1
