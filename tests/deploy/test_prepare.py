"""`python deploy/prepare.py` as an operator runs it: makes what is missing, again and at once; says what is wrong."""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]

from tests.e2e.processes import free_port
from tests.kafka import Kafka
from tests.postgres_server import OperatorsServer, operators_server

PROJECT = Path(__file__).parent.parent.parent
Process = subprocess.Popen[str]


@pytest.fixture(scope="module")
def server() -> Iterator[OperatorsServer]:
    with operators_server() as made:
        made.start()
        yield made


@pytest.fixture
def environment(kafka: Kafka) -> dict[str, str]:
    """Topics and databases that nobody else uses."""
    prefix = f"p{uuid.uuid4().hex[:8]}"
    servers = {"KAFKA_BOOTSTRAP_SERVERS": kafka.connection.servers}
    return {**servers, "PETLA_TOPIC_PREFIX": f"{prefix}.", "PETLA_DATABASE_PREFIX": f"{prefix}_"}


def start(environment: dict[str, str], *options: str) -> Process:
    return subprocess.Popen(
        [sys.executable, "deploy/prepare.py", *options],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: Process) -> tuple[int, list[str], str]:
    """The exit code, what it printed line by line, and what it complained of."""
    printed, complaints = process.communicate(timeout=120)
    return process.returncode, printed.splitlines(), complaints


def test_several_at_once_make_everything_once_and_again_nothing(
    environment: dict[str, str], server: OperatorsServer
) -> None:
    environment["DATABASE_URL"] = server.url
    outcomes = [ended(process) for process in [start(environment) for _ in range(3)]]
    assert [code for code, _, _ in outcomes] == [0, 0, 0], outcomes
    made = [line for _, lines, _ in outcomes for line in lines if line.endswith(" is made")]
    assert len(made) == len(set(made)) >= 5
    code, lines, _ = ended(start(environment))
    assert code == 0
    assert not [line for line in lines if line.endswith(" is made")]
    assert "ok    scoring database  is there, at the newest version" in lines
    assert "ok    alerts database  is there, at the newest version" in lines


def test_one_broker_will_do_but_not_in_production(environment: dict[str, str]) -> None:
    code, lines, _ = ended(start(environment))
    assert code == 0
    assert any(line.startswith("warn  topics  ") and "should have 3" in line for line in lines)
    code, lines, _ = ended(start(environment, "--production"))
    assert code == 1
    assert any(line.startswith("fail  topics  ") and "should have 3" in line for line in lines)


async def test_a_setting_that_loses_data_is_refused_anywhere(environment: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"])
    await admin.start()
    name = environment["PETLA_TOPIC_PREFIX"] + "feedback"
    await admin.create_topics([NewTopic(name, 2, 1, topic_configs={"retention.ms": "3600000"})])
    await admin.close()
    code, lines, _ = ended(start(environment))
    assert code == 1
    assert any(line.startswith(f"fail  topics  {name} is kept 1 hours (retention.ms=3600000)") for line in lines)


def test_what_cannot_be_reached_is_one_line_each(environment: dict[str, str]) -> None:
    environment |= {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "DATABASE_URL": f"postgresql://petla:secret@127.0.0.1:{free_port()}",
    }
    code, lines, complaints = ended(start(environment))
    assert code == 1
    assert [line[:4] for line in lines] == ["fail"] * 3
    assert "check KAFKA_BOOTSTRAP_SERVERS" in lines[0]
    assert lines[1].endswith("nothing listens at its address: start PostgreSQL, or correct the URL")
    assert "secret" not in str((lines, complaints))
    assert "Traceback" not in complaints


def test_a_mistake_in_the_settings_is_one_sentence() -> None:
    code, lines, complaints = ended(start({"DATABASE_URL": "mysql://db"}))
    assert (code, lines) == (2, [])
    assert complaints.startswith("prepare: DATABASE_URL: ")
    assert complaints.count("\n") == 1


def test_without_kafka_and_postgresql_there_is_nothing_to_do() -> None:
    code, lines, _ = ended(start({}))
    assert code == 0
    assert all("nothing to do" in line for line in lines)
