"""`make kafka` on a machine that lacks something, and beside another broker: one sentence that says what to do."""

import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.kafka import jars
from deploy.kafka.broker import Broker, BrokerFailed
from deploy.kafka.jars import KafkaMissing
from tests.kafka import Kafka

MAVEN = """#!/bin/sh
for argument; do case $argument in -DoutputDirectory=*) folder=${argument#*=};; esac; done
echo run >> "$0.runs"
: > "$folder/kafka.jar"
"""


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No Java, no Maven, an empty cache; what is put in the returned folder is found as a command."""
    commands = tmp_path / "bin"
    commands.mkdir()
    monkeypatch.setenv("PATH", f"{commands}:/bin")
    monkeypatch.setattr(jars.shutil, "which", lambda name: str(commands / name) if (commands / name).exists() else None)
    monkeypatch.setenv("PETLA_KAFKA_CACHE", str(tmp_path / "cache"))
    return commands


def command(folder: Path, name: str, script: str) -> Path:
    made = folder / name
    made.write_text(script)
    made.chmod(made.stat().st_mode | stat.S_IXUSR)
    return made


def test_without_java_it_says_what_to_install(bare_machine: Path) -> None:
    with pytest.raises(KafkaMissing, match="Kafka needs Java 17 or later: on Debian and Ubuntu install it with"):
        jars.java()


def test_without_maven_and_jars_it_says_what_to_install(bare_machine: Path) -> None:
    with pytest.raises(KafkaMissing, match=r"apt install maven.* or set KAFKA_BOOTSTRAP_SERVERS"):
        jars.classpath()


def test_jars_are_fetched_once(bare_machine: Path) -> None:
    maven = command(bare_machine, "mvn", MAVEN)
    first = jars.classpath()
    assert jars.classpath() == first
    assert maven.with_name("mvn.runs").read_text() == "run\n"
    assert [path.name for path in Path(first).parent.iterdir()] == ["kafka.jar"]


def test_what_was_fetched_by_half_is_not_used(bare_machine: Path) -> None:
    command(bare_machine, "mvn", MAVEN + "echo 'no route to host'; exit 1\n")
    with pytest.raises(KafkaMissing, match=r"Maven could not fetch .* no route to host"):
        jars.classpath()
    assert [path.name for path in jars.cache().iterdir()] == ["fetching.lock"]


def test_a_port_in_use_is_said(kafka: Kafka, tmp_path: Path) -> None:
    port = int(kafka.connection.servers.split(",")[0].rpartition(":")[2])
    with pytest.raises(BrokerFailed, match=f"another broker answers on 127.0.0.1:{port}: stop it, or choose another"):
        Broker(tmp_path, port=port).start()


def test_the_command_prints_the_address_and_ends_in_order(kafka: Kafka, tmp_path: Path) -> None:
    if kafka.broker is None:
        pytest.skip("no Java here, perhaps: KAFKA_BOOTSTRAP_SERVERS names a broker")
    port = str(Broker(tmp_path).node.port)
    arguments = [sys.executable, "-m", "deploy.kafka", "--port", port, "--data", str(tmp_path / "data")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert re.fullmatch(rf"KAFKA_BOOTSTRAP_SERVERS=127\.0\.0\.1:{port}\n", process.stdout.readline())
        process.terminate()
        assert process.wait(60) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), timeout=1)
