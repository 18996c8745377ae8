"""The three services as three processes, and commands beside them, with this environment and their logs in files."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.lifeline import Lifeline

HOST = "127.0.0.1"
PROJECT = Path(__file__).parent.parent.parent
_READY_SECONDS = 90.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.1


class CommandFailed(Exception):  # noqa: N818 - it is a state of what runs here, not a mistake of the caller
    """Which command, and what it said."""


class ServiceProcess:
    """`petla up NAME` on a port of 127.0.0.1. Not running before `start`; it ends with whoever started it."""

    def __init__(self, name: str, port: int, environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._environment = environment
        self._log = logs / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._lifeline: Lifeline | None = None

    def start(self) -> None:
        """CommandFailed where another program has the port: its answers would be taken for those of this one."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self._port))
            except OSError as error:
                raise CommandFailed(
                    f"port {self._port} on {HOST} cannot be used ({error.strerror}): free it, or choose others with"
                    " --ports"
                ) from error
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                petla("up", self.name, "--host", HOST, "--port", str(self._port)),
                env=self._environment,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,  # Ctrl-C is for whoever started it, who ends all in order
            )
        self._lifeline = Lifeline(self._process.pid, signal.SIGTERM)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if (reason := self.ended()) is not None:
                raise CommandFailed(f"{self.name} ended: {reason}")
            if time.monotonic() > deadline:
                raise CommandFailed(f"{self.name} was not ready within {_READY_SECONDS:g} s: see {self._log}")
            time.sleep(_POLL_SECONDS)

    def ended(self) -> str | None:
        """Its last line and where the others are, once it has ended without being told to; None while it runs."""
        if self._process is None or self._process.poll() is None:
            return None
        written = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"exit code {self._process.returncode}, {written[-1] if written else 'no word'} (see {self._log})"

    def ask_to_end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """In order; one that does not end is killed."""
        self.ask_to_end()
        if self._process is not None:
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._lifeline is not None:
            self._lifeline.cut()

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()


def petla(*words: str) -> list[str]:
    return [sys.executable, "-m", "services", *words]


def ran(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What it printed; CommandFailed when it did not end well."""
    done = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, process_group=0, check=False
    )
    if done.returncode:
        said = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("ok "))
        raise CommandFailed(f"{' '.join(command[1:])} ended with {done.returncode}:\n{said}")
    return done.stdout
