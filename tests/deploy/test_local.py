"""`make up-kafka`: what it prints works, Ctrl-C leaves nothing behind, a process that dies takes the others along."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.kafka.broker import Broker
from deploy.local.services import CommandFailed, ServiceProcess
from tests.data_folders import temporary_data_folder
from tests.e2e.processes import PROJECT, free_port, until
from tests.kafka import Kafka
from tests.postgres_server import operators_server

STOP_SECONDS = 60.0
pytestmark = pytest.mark.slow


class Local:
    """The command, and what it has printed so far: values by name, and the words of its curl."""

    def __init__(self, process: "subprocess.Popen[str]", complaints: Path) -> None:
        self.process = process
        self._complaints = complaints
        self.told: dict[str, str] = {}
        self.curl: list[str] = []

    def read(self) -> None:
        """Until it has said everything."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("curl "):
                self.curl = shlex.split(line)
            elif line.startswith("The follow-up"):
                return
            elif words := line.replace("=", " ", 1).split():
                self.told[words[0]] = words[1]
        raise AssertionError(f"it ended: {self.complaints()}")

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def complaints(self) -> str:
        return self._complaints.read_text()


@contextmanager
def local(folder: Path, environment: Mapping[str, str]) -> Iterator[Local]:
    """On ports that nobody has; nothing of it runs after the block."""
    kafka = str(Broker(folder).node.port)
    ports = ["--ports", *(str(free_port()) for _ in range(3)), "--kafka-port", kafka, "--postgres-port"]
    words = [sys.executable, "-m", "deploy.local", "--data", str(folder / "data"), *ports, str(free_port())]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PETLA_KAFKA_CACHE") if name in os.environ}
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(
            words, cwd=PROJECT, env=kept | dict(environment), stdout=subprocess.PIPE, stderr=errors, text=True
        )
    one = Local(process, folder / "stderr")
    with process:
        try:
            one.read()
            yield one
        finally:
            process.kill()  # and what it started goes with it


def send(curl: list[str]) -> httpx.Response:
    url, *options = curl[1:]
    headers = [options[at + 1].split(": ") for at, word in enumerate(options) if word == "-H"]
    body = options[options.index("-d") + 1].encode()
    return httpx.post(url, content=body, headers=dict(headers), trust_env=False)


def test_a_port_that_another_has_is_told_before_anything_answers_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandFailed, match=rf"port {port} on 127.0.0.1 cannot be used .* others with --ports"):
            ServiceProcess("ingest", port, {}, tmp_path).start()
    assert list(tmp_path.iterdir()) == []


def test_its_curl_opens_a_follow_up_and_ctrl_c_leaves_nothing_behind(kafka: Kafka) -> None:
    assert kafka.connection  # jars and Java are here
    with temporary_data_folder() as folder, local(folder, {}) as one:
        assert send(one.curl).json()["durability"] == "broker"
        headers = {"Authorization": f"Bearer {one.told['key']}"}
        with httpx.Client(headers=headers, trust_env=False, timeout=20) as http:
            address = f"{one.told['alerts']}/v1/followups"
            items = until(lambda: http.get(address).json()["items"], 30, "the follow-up")
        (body,) = [json.loads(word) for word in one.curl if word.startswith("{")]
        assert [(item["order_id"], item["text"]) for item in items] == [("o-9", body["data"]["text"])]
        assert one.told["DATABASE_URL"].startswith("postgresql://petla:")
        family = one.family()
        assert {"java", "postgres"} < {process.name() for process in family}
        one.process.send_signal(signal.SIGINT)
        assert one.process.wait(STOP_SECONDS) == 0, one.complaints()
        assert one.complaints() == ""
        assert not [process for process in family if process.is_running()]


def test_who_dies_is_named_and_all_end_and_what_runs_already_is_used(kafka: Kafka) -> None:
    prefix = f"l{uuid.uuid4().hex[:8]}"
    with temporary_data_folder() as folder, operators_server() as server:
        server.start()
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.connection.servers,
            "DATABASE_URL": server.url,
            "PETLA_TOPIC_PREFIX": f"{prefix}.",
            "PETLA_DATABASE_PREFIX": f"{prefix}_",
        }
        with local(folder, environment) as one:
            assert one.told["KAFKA_BOOTSTRAP_SERVERS"] == kafka.connection.servers
            family = one.family()
            assert not {"java", "postgres"} & {process.name() for process in family}
            (scoring,) = [process for process in family if process.cmdline()[3:5] == ["up", "scoring"]]
            scoring.kill()
            assert one.process.wait(STOP_SECONDS) == 1
            (line,) = one.complaints().splitlines()
            assert line.startswith("up-kafka: scoring ended, and so did all: exit code -9, ")
            assert not [process for process in family if process.is_running()]
