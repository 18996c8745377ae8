"""Real processes on a real Kafka: they start and serve without it, and keep what was sent."""

import time
from collections.abc import Iterator

import httpx
import pytest

from deploy.kafka.broker import Broker
from tests.e2e.client import Client, usable_key
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, temporary_installation, until
from tests.kafka import Kafka


@pytest.fixture
def installation(kafka: Kafka) -> Iterator[Installation]:
    """On topics of its own, with an embedded PostgreSQL."""
    with temporary_installation(KAFKA_BOOTSTRAP_SERVERS=kafka.connection.servers) as made:
        made.environment["PETLA_TOPIC_PREFIX"] = f"{made.data.parent.name}."
        yield made


def readiness(server: Server) -> dict[str, object]:
    return dict(httpx.get(f"{server.url}/readyz", timeout=10, trust_env=False).json())


def send(server: Server, key: str, *names: str) -> list[str]:
    """How each was kept, once it was."""
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as http:
        answers = [http.post("/v1/events", json=answer(name), timeout=10) for name in names]
    assert {found.status_code for found in answers} == {202}, [found.text for found in answers]
    return [found.json()["durability"] for found in answers]


def names(prefix: str, count: int = 20) -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def test_ingest_goes_on_without_its_broker_over_a_kill_and_everything_counts_once(
    installation: Installation, broker: Broker
) -> None:
    servers = {name: installation.start(name) for name in ("ingest", "scoring", "alerts")}
    for server in servers.values():
        server.wait_ready()
    ingest = servers["ingest"]
    key = usable_key(installation, ingest.url)
    assert set(send(ingest, key, *names("before"))) == {"broker"}

    broker.kill()
    began = time.monotonic()
    assert set(send(ingest, key, *names("without"))) == {"local"}
    assert time.monotonic() - began < 5  # one of them waited for the broker, at the most
    assert readiness(ingest) == {"ready": True, "checks": {"log": "ok", "config": "ok"}, "spilled": 20}

    ingest.kill()
    for name in ("ingest", "scoring", "alerts"):  # new ones, while the broker is away
        if name != "ingest":
            servers[name].kill()
        servers[name] = installation.start(name)
    ingest = servers["ingest"]
    ingest.wait_ready()
    assert set(send(ingest, key, *names("without-again"))) == {"local"}

    broker.start()
    until(lambda: readiness(ingest)["spilled"] == 0, 30, "the spill sent")
    until(lambda: send(ingest, key, "after") == ["broker"], 10, "appends on the broker again")
    for server in servers.values():
        server.wait_ready()
    with Client(servers["scoring"].url, key) as scoring:
        found = scoring.settled(30)
    assert found["balanced"]
    assert found["topics"][f"{installation.environment['PETLA_TOPIC_PREFIX']}feedback"]["new"] == 61
    assert found["detractors"]["followups"] == 61


def test_without_broker_and_snapshot_nobody_is_known_yet_and_nobody_is_refused_for_good(
    installation: Installation, broker: Broker
) -> None:
    key = installation.create_key()["key"]
    broker.kill()
    ingest = installation.start("ingest")

    def answered() -> httpx.Response | None:
        headers = {"Authorization": f"Bearer {key}"}
        try:
            return httpx.post(f"{ingest.url}/v1/events", json=answer("a"), headers=headers, trust_env=False)
        except httpx.TransportError:
            return None

    refused = until(answered, 30, "an answer")
    assert (refused.status_code, refused.json()["code"]) == (503, "keys_unknown")
    assert int(refused.headers["retry-after"]) > 0
    assert readiness(ingest)["ready"] is False
    commanded = installation.command("keys", "list")
    assert commanded.returncode == 2
    assert "KAFKA_BOOTSTRAP_SERVERS" in commanded.stderr
    broker.start()
    ingest.wait_ready()
    assert send(ingest, key, "a") == ["broker"]


def test_all_in_one_works_on_kafka_too(installation: Installation, kafka: Kafka) -> None:
    server = installation.up()
    key = usable_key(installation, server.url)
    assert set(send(server, key, *names("one"))) == {"broker"}
    with Client(server.url, key) as client:
        assert client.settled(30)["balanced"]
    assert readiness(server)["spilled"] == 0
    assert server.terminate() == 0
    assert not list((installation.data / "spill").iterdir())
