"""A PostgreSQL of this system on a port, as an operator runs one: started and stopped by tests, also the hard way."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.postgres_binaries import installed, server_account, usable_by
from tests.e2e.processes import free_port

_STOP_SECONDS = 30.0


class OperatorsServer:
    """Not running before `start`, which does not wait: who connects is told that it is starting."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.port = free_port()
        self._binaries = binaries
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._spawn("initdb", "-D", folder / "data", "-U", "petla", "--no-sync").wait(_STOP_SECONDS)

    @property
    def url(self) -> str:
        return f"postgresql://petla@127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self._folder / "data"

    def run(self, program: str, *words: str | Path) -> None:
        """A program of PostgreSQL's on this server, to its end; skips where the package lacks it."""
        assert self._ended(program, *words) == 0, (self._folder / "log").read_text()[-2000:]

    def answers(self) -> bool:
        return self._ended("pg_isready") == 0

    def _ended(self, program: str, *words: str | Path) -> int:
        if not (self._binaries / program).exists():
            pytest.skip(f"{self._binaries} has no {program}: install Debian's postgresql")
        return self._spawn(program, "-h", "127.0.0.1", "-p", str(self.port), "-U", "petla", *words).wait(_STOP_SECONDS)

    def start(self) -> None:
        options = ("-h", "127.0.0.1", "-p", str(self.port), "-k", self._folder)
        self._process = self._spawn("postgres", "-D", self.data, *options)

    def stop_immediately(self) -> None:
        """As after a crash: the next start recovers."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def _spawn(self, program: str, *words: str | Path) -> "subprocess.Popen[bytes]":
        with (self._folder / "log").open("ab") as log:
            return server_account().spawn([self._binaries / program, *words], log.fileno())


@contextmanager
def operators_server() -> Iterator[OperatorsServer]:
    """The oldest that is promised to do, so far as this system has it; else the one that Pętla brings along."""
    folder = Path(tempfile.mkdtemp(prefix="petla-test-pg-", dir="/tmp"))
    account = server_account()
    shutil.chown(folder, account.uid, account.gid)
    found = [path for major in (15, 16) if (path := Path(f"/usr/lib/postgresql/{major}/bin")).exists()]
    server = OperatorsServer(found[0] if found else usable_by(account, installed(), folder), folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
