"""One cluster of the embedded PostgreSQL on disk, and the server on it. The caller lets one process in at a time.

Guarantees: a cluster is there whole or not at all; no file of a server that may be alive is removed, so that two never
run on one cluster; a server left by a killed process is taken over, the remains of a killed server are cleared away.
"""

import hashlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.postgres_binaries import Account, PostgresError, owner_name, usable_by
from shared.postgres_log import ServerLog

PATIENCE = 60.0  # seconds to become ready, or to stop
POLL = 0.02  # seconds
SOCKET_FOLDER_LIMIT = 85  # bytes; the kernel takes 107 with the name of the socket
PORT = 5432  # only a part of the socket's name: there is no TCP

INITDB = ["-U", "petla", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--data-checksums"]
# Letters have their case whatever LANG says; the builtin provider came with PostgreSQL 17.
LOCALE = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
PARAMETERS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_recycle": "off",  # a used segment is deleted: under another name it would keep what has been erased since
    "log_min_messages": "log",  # what fails for a client is told to the client, and quotes rows
    "log_min_error_statement": "panic",  # nor does a connection that is ended show what it was asked
    "jit": "off",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",  # the last resort: connections set a shorter one
}
# Another server holds the cluster for a moment more: the children of a killed one, or one left while it was starting.
PASSING = re.compile(r"pre-existing shared memory block|lock file \"[^\"]+\" already exists")


@dataclass(frozen=True)
class Started:
    server: subprocess.Popen[bytes]
    log_start: int  # what it wrote begins at this byte of the log


@dataclass(frozen=True)
class Cluster:
    data: Path  # resolved: the server is recognised by its path
    account: Account

    @property
    def folder(self) -> Path:
        return self.data / "postgres"

    @property
    def log(self) -> ServerLog:
        return ServerLog(self.data / "postgres.log")

    @property
    def socket_folder(self) -> Path:
        """Inside DATA, or in /tmp when that path is too long for a socket or has a mark that PostgreSQL splits at."""
        inside = self.data / "postgres-socket"
        if len(os.fsencode(inside)) <= SOCKET_FOLDER_LIMIT and not re.search(r'[,:"]', str(inside)):
            return inside
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        return Path("/tmp") / f"petla-{self.account.uid}-{digest}"

    @property
    def socket(self) -> Path:
        return self.socket_folder / f".s.PGSQL.{PORT}"

    def ensure_running(self, binaries: Path) -> None:
        """Returns when the server takes connections; PostgresError when it does not within a minute."""
        self.account.refuse_closed(self.data)
        self._make_socket_folder()
        if not self._exists():
            self._create(usable_by(self.account, binaries, self.data))
        started: Started | None = None
        deadline = time.monotonic() + PATIENCE
        while not self._ready():
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL in {self.folder} was not ready within {PATIENCE:.0f} s (see {self.log.path}):"
                    " start Pętla again, a long recovery goes on meanwhile."
                )
            if started is not None and started.server.poll() is not None:
                self._refuse_lasting_failure(started)
                started = None
            if started is None and not self.may_be_alive():
                self._clear_remains()
                started = self._launch(usable_by(self.account, binaries, self.data))
            time.sleep(POLL)

    def shut_down(self) -> bool:
        """Stops the server cleanly, with its clients disconnected; False when none was running."""
        pid = self.running_pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        while self._is_ours(pid):
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL (process {pid}) did not stop within {PATIENCE:.0f} s: see {self.log.path}."
                )
            time.sleep(POLL)
        with suppress(OSError):
            self.socket_folder.rmdir()  # leaves nothing behind in /tmp
        return True

    def running_pid(self) -> int | None:
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if pid is not None and self._is_ours(pid) else None

    def _pid_file(self) -> list[str]:
        """Line 1 is the server's process, line 8 its state: starting, ready, stopping."""
        try:
            return [line.strip() for line in (self.folder / "postmaster.pid").read_text("utf-8", "replace").split("\n")]
        except FileNotFoundError:
            return []

    def _is_ours(self, pid: int) -> bool:
        """A pid alone proves nothing: it may have gone to a stranger, or be a zombie's, which has no command line."""
        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            return False
        return bool(command) and Path(command[0]).name == "postgres" and str(self.folder) in command

    def _ready(self) -> bool:
        state = self._pid_file()[7:8]
        return state == ["ready"] and self._answers()

    def may_be_alive(self) -> bool:
        # A server in another container on the same DATA has no pid here, yet it answers.
        return self.running_pid() is not None or self._answers()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket))
            except (TimeoutError, BlockingIOError):
                return True  # alive, and too busy to take the connection
            except OSError:
                return False
            return True

    def _clear_remains(self) -> None:
        for remains in (self.folder / "postmaster.pid", self.socket, Path(f"{self.socket}.lock")):
            remains.unlink(missing_ok=True)

    def _exists(self) -> bool:
        if not self.folder.exists():
            return False
        owner = self.folder.stat().st_uid
        if owner != self.account.uid:
            raise PostgresError(
                f"The database in {self.folder} belongs to '{owner_name(owner)}' and this process would run it as"
                f" '{self.account.name}': start Pętla as the user who made it, or name another folder with --data."
            )
        return (self.folder / "PG_VERSION").exists()

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        if not private or status.st_uid not in (os.geteuid(), self.account.uid):
            raise PostgresError(f"{folder}, for PostgreSQL's socket, is not a private folder of ours: remove it.")
        self._give(folder)

    def _give(self, folder: Path) -> None:
        if self.account.dropped:
            os.chown(folder, self.account.uid, self.account.gid, follow_symlinks=False)

    def _create(self, binaries: Path) -> None:
        for left in self.data.glob("postgres.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.data))
        try:
            self._give(new)
            self._initialise(binaries, new)
            new.rename(self.folder)
            sync(self.data)  # or a power cut could take the cluster back after something was committed to it
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def _initialise(self, binaries: Path, new: Path) -> None:
        with self.log.open() as log:
            since = log.tell()
            initdb = self.account.spawn([binaries / "initdb", "-D", new, *INITDB, *LOCALE], log.fileno())
        try:
            failed = initdb.wait(PATIENCE) != 0
        except BaseException:
            os.killpg(initdb.pid, signal.SIGKILL)
            initdb.wait()
            raise
        if failed:
            raise PostgresError(
                f"PostgreSQL could not make its folder {self.folder} ({self.log.complaint(since)}):"
                " mend that, or name another folder with --data."
            )

    def _launch(self, binaries: Path) -> Started:
        parameters = PARAMETERS | {"unix_socket_directories": str(self.socket_folder)}
        settings = [part for name, setting in parameters.items() for part in ("-c", f"{name}={setting}")]
        with self.log.open() as log:
            since = log.tell()
            server = self.account.spawn([binaries / "postgres", "-D", self.folder, *settings], log.fileno())
        # Takes the exit status whenever it comes: otherwise a killed server stays a zombie while this process lives.
        threading.Thread(target=server.wait, name="postgres-exit", daemon=True).start()
        return Started(server, since)

    def _refuse_lasting_failure(self, started: Started) -> None:
        complaint = self.log.complaint(started.log_start)
        if not PASSING.search(complaint):
            raise PostgresError(f"PostgreSQL in {self.folder} did not start ({complaint}): see {self.log.path}.")


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
