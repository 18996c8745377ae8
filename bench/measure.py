"""Processes, their CPU time, and rounds that take turns, so that a drifting machine drifts for both sides."""

import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"
PETLA = Path(sys.executable).with_name("petla")


class NotRun(Exception):  # noqa: N818 - it is a state of the machine, not a mistake of the caller
    """Why a claim cannot be measured here, in one sentence that says what to do."""


@dataclass(frozen=True)
class Round:
    """`cpu` is user and system seconds of the processes under test while `events` were handled in `wall` seconds.

    `beside` is that of what they stand on (the broker, PostgreSQL), counted apart.
    """

    events: int
    cpu: float
    wall: float
    beside: float = 0.0

    @property
    def per_core_second(self) -> float:
        return self.events / self.cpu


def cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    """User and system time of these processes and their living children, each counted once."""
    family = {one.pid: one for process in processes for one in (process, *process.children(recursive=True))}
    times = [one.cpu_times() for one in family.values()]
    return sum(one.user + one.system for one in times)


def interleaved(sides: Sequence[Callable[[], Round]], rounds: int = 3) -> list[list[Round]]:
    """A B A B …; for each side its rounds, the first (warm-up) round left out."""
    done: list[list[Round]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, results in zip(sides, done, strict=True):
            result = side()
            if number:
                results.append(result)
    return done


async def taking_turns(sides: Sequence[Callable[[], Awaitable[Round]]], rounds: int = 3) -> list[list[Round]]:
    """The same for sides in this process."""
    done: list[list[Round]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, results in zip(sides, done, strict=True):
            result = await side()
            if number:
                results.append(result)
    return done


def median_rate(rounds: Sequence[Round]) -> float:
    return statistics.median(one.per_core_second for one in rounds)


def median_ratio(candidate: Sequence[Round], reference: Sequence[Round]) -> float:
    """Pair by pair, so that each candidate round is held against its neighbour."""
    pairs = zip(candidate, reference, strict=True)
    return statistics.median(one.per_core_second / other.per_core_second for one, other in pairs)


def microseconds_beside(rounds: Sequence[Round]) -> float:
    """What an event costs the broker or PostgreSQL."""
    return statistics.median(one.beside / one.events for one in rounds) * 1e6


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def data_folder() -> Iterator[Path]:
    """Directly under the temporary folder: PostgreSQL may run as another user."""
    folder = Path(tempfile.mkdtemp(prefix="petla-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        subprocess.run([PETLA, "stop", "--data", folder], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def process(*command: str | Path, port: int, **environment: str) -> Iterator[psutil.Process]:
    """A server, ready to answer on `port`, ended with SIGTERM."""
    child = subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, child)
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(timeout=20)


def _wait_for(port: int, child: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{child.args!r} did not start")


def new_key(data: Path, *scopes: str, **environment: str) -> str:
    chosen = [part for scope in scopes for part in ("--scope", scope)]
    made = subprocess.run(
        [PETLA, "keys", "create", "--source", "bench", *chosen, "--json", "--data", data],
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
        text=True,
    )
    return str(json.loads(made.stdout)["key"])


def flush_microseconds(folder: Path) -> float:
    """How long this disk takes to make 4 KiB durable: wall-clock figures depend on it."""
    path = folder / "flush-probe"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(200):
            start = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    path.unlink()
    return statistics.median(times) * 1e6


def machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
