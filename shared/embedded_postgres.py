"""Pętla's own PostgreSQL, shared by every process on one DATA folder.

Guarantees: the first process starts it, the last that leaves cleanly stops it, and no order of starts, exits and kills
does otherwise. Each process holds a shared file lock, which the kernel drops when the process dies: nothing goes stale.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from shared.postgres_binaries import PostgresError, installed, server_account
from shared.postgres_cluster import PATIENCE, POLL, PORT, Cluster

__all__ = ["EmbeddedPostgres", "PostgresError", "Server", "stop"]

HOLDERS = "postgres.holders.lock"  # shared: held by every process that uses the server
TURN = "postgres.turn.lock"  # exclusive: held while one process creates, starts or stops it


@dataclass(frozen=True)
class Server:
    socket_folder: Path

    def url(self, database: str) -> str:
        """For SQLAlchemy with asyncpg. It names the port, or PGPORT in the environment would."""
        return (
            f"postgresql+asyncpg://petla@/{quote(database, safe='')}?host={quote(str(self.socket_folder))}&port={PORT}"
        )


class EmbeddedPostgres:
    """One process's share in the server on `data`. All calls block: an async caller makes them in a thread.

    `binaries` is a folder with `postgres` and `initdb`, 17 or later; by default the installed wheel's. Install the
    handler of SIGTERM before `start`, so that every end but a kill comes to `release`.
    """

    def __init__(self, data: Path, *, binaries: Path | None = None) -> None:
        self._data = data.resolve()
        self._binaries = binaries
        self._holding: int | None = None

    def start(self) -> Server:
        """Creates, starts or joins the server, within about a minute. Again after it was killed: starts it anew."""
        cluster = Cluster(self._data, server_account())
        with turn(self._data):
            cluster.ensure_running(self._binaries or installed())
            if self._holding is None:
                self._holding = open_lock(self._data / HOLDERS)
                fcntl.flock(self._holding, fcntl.LOCK_SH)  # never waits: it is taken exclusively in a turn only
        return Server(cluster.socket_folder)

    def keep_running(self) -> bool:
        """Starts the server anew if it has died; whether it had."""
        if Cluster(self._data, server_account()).may_be_alive():
            return False
        self.start()
        return True

    def create_database(self, name: str) -> None:
        """Makes the database, with the cluster's locale, unless it is there; several processes may do so at once."""
        try:
            asyncio.run(create_missing(Cluster(self._data, server_account()).socket_folder, name))
        except (OSError, asyncpg.PostgresError) as error:
            raise PostgresError(
                f"The database {name} cannot be made in {self._data} ({error}): see {self._data / 'postgres.log'}."
            ) from error

    def release(self) -> None:
        """Gives up this process's share; the last one stops the server cleanly and waits for its end."""
        if self._holding is None:
            return
        try:
            with turn(self._data):
                if take(self._holding, fcntl.LOCK_EX):
                    Cluster(self._data, server_account()).shut_down()
        finally:
            os.close(self._holding)
            self._holding = None


def stop(data: Path) -> bool:
    """Stops a server that killed processes left. False when none ran; PostgresError while a process still uses it."""
    data = data.resolve()
    if not (data / HOLDERS).exists():
        return False
    with turn(data):
        holders = open_lock(data / HOLDERS)
        try:
            if not take(holders, fcntl.LOCK_EX):
                raise PostgresError(f"Pętla still runs on {data} ({named_users(data / HOLDERS)}): end it first.")
            return Cluster(data, server_account()).shut_down()
        finally:
            os.close(holders)


@contextmanager
def turn(data: Path) -> Iterator[None]:
    """One process at a time; what the system refuses in the meantime becomes a sentence."""
    try:
        lock = open_lock(data / TURN)
        try:
            wait_for(lock, data)
            yield
        finally:
            os.close(lock)
    except OSError as error:
        raise PostgresError(
            f"PostgreSQL cannot be run in {data} ({error}): mend that, or name another folder with --data."
        ) from error


def wait_for(lock: int, data: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not take(lock, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            raise PostgresError(
                f"Another process has been starting or stopping PostgreSQL in {data} for {PATIENCE:.0f} s"
                f" ({named_users(data / TURN)}): end it, then try again."
            )
        time.sleep(POLL)


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def take(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def named_users(lock: Path) -> str:
    """The other processes that have the file open, as far as this user may see them."""
    found = [process for process in psutil.process_iter() if process.pid != os.getpid() and has_open(process, lock)]
    return ", ".join(f"process {process.pid}" for process in found) or "a process of another user, or this one"


def has_open(process: psutil.Process, path: Path) -> bool:
    try:
        return any(opened.path == str(path) for opened in process.open_files())
    except psutil.Error:
        return False


async def create_missing(socket_folder: Path, name: str) -> None:
    connection = await asyncpg.connect(
        host=str(socket_folder), port=PORT, user="petla", database="postgres", timeout=PATIENCE
    )
    try:
        # Until the connection closes: CREATE DATABASE takes no "if not exists", and fails when another makes it too.
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute('CREATE DATABASE "{}"'.format(name.replace('"', '""')))
    finally:
        await connection.close()
