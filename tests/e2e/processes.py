"""Real `petla` processes on one data folder: started with a clean environment, ended by the pid that was started.

`until` is the only place of these tests that waits for time.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.data_folders import temporary_data_folder

Found = TypeVar("Found")

PROJECT = Path(__file__).parent.parent.parent
SHARED = PROJECT.parent / "shared"  # test material; what needs it skips where it is absent
PETLA = Path(sys.executable).with_name("petla")
READY_SECONDS = 60.0
_POLL_SECONDS = 0.05
_KEPT_PORTS: list[socket.socket] = []


def until(condition: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """The first true value of `condition`; AssertionError names `what` was waited for in vain."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(_POLL_SECONDS)
    return found


def free_port() -> int:
    """Nobody else is given it until these tests end, neither a connection nor another run of tests.

    Whoever sets SO_REUSEADDR may listen on it beside the socket that keeps it: every server does that.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    _KEPT_PORTS.append(keeper)
    return int(keeper.getsockname()[1])


@dataclass
class Server:
    """One `petla up` that was started; `service` None is all three on one port."""

    process: "subprocess.Popen[bytes]"
    service: str | None
    port: int
    stderr: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def complaints(self) -> str:
        """What it logged, less what is told of an ordinary day."""
        lines = self.stderr.read_text("utf-8").splitlines(keepends=True)
        return "".join(line for line in lines if '"level": "info"' not in line)

    def wait_ready(self) -> float:
        """Seconds until /readyz said yes; AssertionError when the process ended or never did."""
        begun = time.monotonic()
        until(self._answers_ready, READY_SECONDS, f"{self.service or 'petla up'} ready")
        return time.monotonic() - begun

    def _answers_ready(self) -> bool:
        assert self.process.poll() is None, f"petla ended with {self.process.returncode}: {self.complaints()}"
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """As a power cut of this process: nothing of it runs any more when this returns."""
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds: float = 15.0) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@dataclass
class Installation:
    """A data folder and every process that these tests started on it."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    _servers: list[Server] = field(default_factory=list)

    def start(self, service: str | None = None, port: int | None = None, **environment: str) -> Server:
        """`petla up`, not waited for."""
        port = port or free_port()
        name = service or "all"
        stderr = self.data.parent / f"{name}-{len(self._servers)}.stderr"
        words = ["up", *([service] if service else []), "--data", str(self.data), "--port", str(port)]
        with stderr.open("wb") as errors:
            process = subprocess.Popen(
                [PETLA, *words],
                env=self._clean(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        self._servers.append(Server(process, service, port, stderr))
        return self._servers[-1]

    def up(self, service: str | None = None, port: int | None = None, **environment: str) -> Server:
        server = self.start(service, port, **environment)
        server.wait_ready()
        return server

    def command(
        self, *words: str, environment: Mapping[str, str] | None = None, seconds: float = 60.0
    ) -> "subprocess.CompletedProcess[str]":
        """`petla WORDS` to its end."""
        return subprocess.run(
            [PETLA, *words],
            env=self._clean({"PETLA_DATA": str(self.data), **(environment or {})}),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def create_key(self, *scopes: str, source: str = "shop") -> dict[str, Any]:
        """What `petla keys create --json` says; without scopes a key that may do everything."""
        asked = [word for scope in scopes or ("admin",) for word in ("--scope", scope)]
        made = self.command("keys", "create", "--source", source, *asked, "--json")
        assert made.returncode == 0, made.stderr
        return dict(json.loads(made.stdout))

    def _clean(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Nothing of the environment that the tests run in: a PETLA_… or DATABASE_URL of it would change them."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        kept["PYTHONPATH"] = str(PROJECT)  # the code beside these tests, from wherever the command was installed
        return {**kept, **self.environment, **environment}

    def complaints(self) -> str:
        """What all of them logged, for the message of a failed test."""
        return "\n".join(f"{server.stderr.name}: {server.complaints()[-4000:]}" for server in self._servers)

    def close(self) -> None:
        for server in self._servers:
            if server.process.poll() is None:
                server.kill()


@contextmanager
def temporary_installation(**environment: str) -> Iterator[Installation]:
    """Everything that runs on it, PostgreSQL too, ends with the block."""
    with temporary_data_folder() as folder:
        installation = Installation(folder / "data", environment)
        try:
            yield installation
        finally:
            installation.close()


def material(*parts: str) -> Path | None:
    """Test material beside the project, None where it is absent."""
    path = SHARED.joinpath(*parts)
    return path if path.exists() else None
