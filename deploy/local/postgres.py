"""A PostgreSQL of its own on 127.0.0.1, with a password, as an operator's server is reached: by DATABASE_URL.

Its programs are those of the embedded one. Its data are there again next time.
"""

import asyncio
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from deploy.lifeline import Lifeline
from shared.database_server import connect
from shared.postgres_binaries import PostgresError, installed, server_account, usable_by
from shared.postgres_cluster import LOCALE, PARAMETERS, PATIENCE, POLL
from shared.postgres_log import ServerLog

HOST = "127.0.0.1"
_NO_ROWS_IN_THE_LOG = ("log_min_messages", "log_min_error_statement")


class LocalPostgres:
    """Under `data`/postgres-server. Not running before `start`; it ends with whoever started it."""

    name = "PostgreSQL"

    def __init__(self, data: Path, port: int) -> None:
        self._port = port
        self._account = server_account()
        self._account.refuse_closed(data)
        self._binaries = usable_by(self._account, installed(), data)
        self._folder = data / "postgres-server"
        self._log = ServerLog(data / "postgres-server.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None

    @property
    def url(self) -> str:
        return f"postgresql://petla:{self._password.read_text().strip()}@{HOST}:{self._port}"

    def start(self) -> None:
        """Returns when it takes connections; PostgresError says why not."""
        if not (self._folder / "data").exists():
            self._create()
        since = self._size_of_log()
        address: list[str | Path] = ["-h", HOST, "-p", str(self._port), "-k", self._folder]
        quiet = [word for name in _NO_ROWS_IN_THE_LOG for word in ("-c", f"{name}={PARAMETERS[name]}")]
        self._process = self._spawn("postgres", "-D", self._folder / "data", *address, *quiet)
        self._lifeline = Lifeline(self._process.pid, signal.SIGINT)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL did not start on {HOST}:{self._port} ({self._log.complaint(since)}):"
                    f" see {self._log.path}"
                )
            time.sleep(POLL)

    def ended(self) -> str | None:
        """Why, once it has ended without being told to; None while it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        return f"see {self._log.path}"

    def stop(self) -> None:
        """In order, with its clients disconnected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE)
        if self._lifeline is not None:
            self._lifeline.cut()

    @property
    def _password(self) -> Path:
        return self._folder / "password"

    def _create(self) -> None:
        """The folder gets its name when all is in it."""
        new = self._folder.with_name("postgres-server.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        (new / "password").write_text(secrets.token_hex(16) + "\n")
        if self._account.dropped:
            for path in (new, new / "password"):
                shutil.chown(path, self._account.uid, self._account.gid)
        login: list[str | Path] = ["-U", "petla", "--pwfile", new / "password", "--auth=scram-sha-256"]
        since = self._size_of_log()
        made = self._spawn("initdb", "-D", new / "data", "--encoding=UTF8", *LOCALE, *login)
        if made.wait(PATIENCE):
            raise PostgresError(f"PostgreSQL could not make {new} ({self._log.complaint(since)})")
        new.rename(self._folder)

    def _spawn(self, program: str, *words: str | Path) -> "subprocess.Popen[bytes]":
        with self._log.open() as log:
            return self._account.spawn([self._binaries / program, *words], log.fileno())

    def _size_of_log(self) -> int:
        with self._log.open() as log:
            return log.tell()

    def _answers(self) -> bool:
        async def look() -> None:
            await (await connect(f"{self.url}/postgres")).close()

        try:
            asyncio.run(look())
        except Exception:  # it is starting, or the server there is another's: the caller's deadline decides
            return False
        return True
