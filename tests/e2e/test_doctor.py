"""`petla doctor` as a user calls it: before anything ran, beside a running Pętla, and when a part is missing."""

import json
import socket
from typing import Any

from deploy.kafka.broker import Broker
from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import Installation, free_port
from tests.kafka import Kafka
from tests.postgres_server import operators_server


def examined(installation: Installation, **environment: str) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and by name what was found there: `level sentence`."""
    done = installation.command("doctor", "--json", environment=environment)
    body: dict[str, Any] = json.loads(done.stdout)
    found: dict[str, list[str]] = {}
    for check in body["checks"]:
        found.setdefault(check["name"], []).append(f"{check['level']} {check['sentence']}")
    assert body["ok"] is (done.returncode == 0), done.stderr
    return done.returncode, found


def test_where_nothing_ran_yet_all_is_well_and_nothing_is_made(installation: Installation) -> None:
    code, found = examined(installation, PETLA_PORT=str(free_port()))
    assert code == 0
    assert {each.split()[0] for sentences in found.values() for each in sentences} == {"ok"}
    assert not installation.data.exists()


def test_beside_a_running_one_it_says_what_each_part_does(installation: Installation) -> None:
    server = installation.up()
    port = str(server.port)
    _, found = examined(installation, PETLA_PORT=port)
    assert found["keys"] == ["warn there is none: 'petla keys create --source shop --scope events:write'"]
    key = installation.create_key()["key"]
    with Client(server.url, key) as client:
        client.send([answer("a"), answer("b")])
        client.settled()
    code, found = examined(installation, PETLA_PORT=port)
    assert code == 0, found
    assert found["port"] == [f"ok Pętla answers on {port} and is ready"]
    assert found["keys"] == ["ok 1 work"]
    assert found["scoring lag"] == ["ok 0 records wait, 1 processes read"]
    assert found["webhooks"][0].startswith("ok")
    assert len(found["alerts database"]) == 2

    done = installation.command("doctor", environment={"PETLA_PORT": port})
    assert all(line[:6] in ("ok    ", "warn  ", "fail  ") for line in done.stdout.splitlines())

    with Client(server.url, key) as client:
        server.kill()
    code, found = examined(installation, PETLA_PORT=port)
    assert code == 0
    assert found["embedded PostgreSQL"][0].startswith("ok runs in ")


def test_another_program_on_the_port_fails(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, found = examined(installation, PETLA_PORT=str(taken.getsockname()[1]))
    assert code == 1
    assert "free it" in found["port"][0]


def test_on_kafka_and_a_server_of_the_operator(installation: Installation, kafka: Kafka, broker: Broker) -> None:
    installation.environment |= {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.connection.servers,
        "PETLA_TOPIC_PREFIX": f"{installation.data.parent.name}.",
        "PETLA_PORT": str(free_port()),
    }
    with operators_server() as postgres:
        postgres.start()
        installation.environment["DATABASE_URL"] = postgres.url
        code, found = examined(installation)
        assert code == 1
        assert all("does not exist: run 'python deploy/prepare.py'" in each for each in found["topics"])
        assert found["scoring database"] == [
            "warn is not there yet: a start of the service makes it, if its user may",
        ]

        ingest = installation.start("ingest")
        ingest.wait_ready()
        key = installation.create_key()["key"]
        with Client(ingest.url, key) as client:
            client.send([answer("a")])
        broker.kill()
        with Client(ingest.url, key) as client:
            client.send([answer("b"), answer("c")])
        code, found = examined(installation)
        assert code == 1
        assert found["broker"][0].startswith("fail no Kafka at ")
        assert "KAFKA_BOOTSTRAP_SERVERS" in found["broker"][0]
        assert found["spill"] == ["warn 2 events wait for Kafka: keep ingest running, they are sent when it is back"]

        broker.start()
        scoring = installation.up("scoring")
        scoring.terminate()
        with Client(ingest.url, key) as client:
            client.send([answer("d")])
        code, found = examined(installation)
        assert code == 0, found
        assert all("copies" in each or "acknowledges" in each for each in found["topics"])
        assert found["keys"] == ["ok 1 work"]
        assert found["scoring lag"][0].endswith("records wait and no process reads them: start 'petla up scoring'")


def test_a_database_that_is_away_fails(installation: Installation) -> None:
    code, found = examined(installation, DATABASE_URL=f"postgresql://petla:secret@127.0.0.1:{free_port()}")
    assert code == 1
    assert found["scoring database"] == ["fail nothing listens at its address: start PostgreSQL, or correct the URL"]
    assert "secret" not in str(found)
