"""`petla demo` as a user runs it: the verdict, a second start on the same data, the end by a signal, mistakes."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import httpx
import pytest

from tests.data_folders import temporary_data_folder
from tests.e2e.processes import free_port, until

pytestmark = pytest.mark.slow

SECONDS = 90
KEYS = ("sent", "scored", "nps", "followups", "notified", "reconciliation")


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    with temporary_data_folder() as folder:
        yield folder / "data"


def petla(*arguments: str) -> Sequence[str]:
    return [sys.executable, "-m", "services", *arguments]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PETLA_", "ALERTS_"))}


def demo(data: Path, *more: str, port: int | None = None) -> subprocess.CompletedProcess[str]:
    command = petla("demo", "--events", "400", "--data", str(data), "--port", str(port or free_port()), *more)
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@contextmanager
def serving(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """Ready to be looked at: everything that `--json` has to say was said."""
    command = petla("demo", "--events", "400", "--json", "--data", str(data), "--port", str(port))
    process = subprocess.Popen(command, env=environment(), stdout=PIPE, stderr=PIPE, text=True)
    try:
        assert process.stdout
        assert json.loads(process.stdout.readline())["reconciliation"]["balanced"]
        yield process
    finally:
        process.kill()
        process.communicate()


def verdict(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert run.returncode == 0, run.stderr
    (line,) = run.stdout.splitlines()
    document: dict[str, Any] = json.loads(line)
    assert tuple(document) == KEYS
    return document


@pytest.fixture(scope="module")
def starts(data: Path) -> list[dict[str, Any]]:
    """What the first start and the second say."""
    return [verdict(demo(data, "--exit", "--json")) for _ in range(2)]


def test_everything_balances_and_everyone_is_told(starts: list[dict[str, Any]]) -> None:
    for document in starts:
        assert document["reconciliation"]["balanced"]
        assert document["reconciliation"]["settled"]
        assert document["sent"] == 400
        assert document["notified"] == document["followups"]["opened"] > 0
        assert document["followups"]["resolved"] > 0


def test_a_second_start_finds_its_data_again(starts: list[dict[str, Any]]) -> None:
    first, second = starts
    for counted in ("sent", "scored", "nps", "notified", "followups"):
        assert first[counted] == second[counted]
    new = [{name: topic["new"] for name, topic in one["reconciliation"]["topics"].items()} for one in starts]
    assert new[0] == new[1]


@pytest.mark.usefixtures("starts")
def test_it_says_so_in_plain_words(data: Path) -> None:
    run = demo(data, "--exit")
    assert run.returncode == 0, run.stderr
    assert "none counts again" in run.stdout
    assert "balanced" in run.stdout
    assert "\x1b" not in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("starts")
def test_no_key_outlives_the_play(data: Path) -> None:
    command = petla("keys", "list", "--json", "--data", str(data))
    listed = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=True)
    keys = json.loads(listed.stdout)
    assert {key["source"] for key in keys} == {"demo-shop", "demo-agents"}
    assert all(key["revoked"] for key in keys)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(data: Path, number: signal.Signals) -> None:
    port = free_port()
    with serving(data, port) as process:
        assert httpx.get(f"http://127.0.0.1:{port}/docs", trust_env=False).status_code == 200
        in_use = demo(data, "--exit")
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr
        assert process.stderr.read() == ""
    assert (in_use.returncode, in_use.stdout) == (2, "")
    assert in_use.stderr.splitlines() == [
        f"petla: another Pętla is running on {data}: stop it first, or choose another folder with --data"
    ]


def test_stopped_on_the_way_it_says_how_to_go_on() -> None:
    port = free_port()
    with temporary_data_folder() as folder:
        command = petla("demo", "--events", "20000", "--exit", "--data", str(folder / "data"), "--port", str(port))
        process = subprocess.Popen(command, env=environment(), stdout=PIPE, stderr=PIPE, text=True)
        try:
            until(lambda: answers(port), SECONDS, "an answer")
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, stdout) == (1, "")
    assert stderr == "petla demo: stopped before the end; start it again, and nothing counts twice\n"


def test_a_port_in_use_is_one_sentence(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = demo(data, "--exit", port=port)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"petla: port {port} on 127.0.0.1 cannot be used")
    assert len(run.stderr.splitlines()) == 1
