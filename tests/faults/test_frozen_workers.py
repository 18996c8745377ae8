"""A process that is frozen and thawed: nothing counts twice.

A worker inside its transaction, taken over by another (C-02), has moved the positions and written facts, and holds
both; only the server can let go of them for it. An ingest (I-07) still reads what its clients have given up on.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import httpx
import pytest

from shared.postgres_binaries import server_account
from shared.postgres_cluster import PORT, Cluster
from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, temporary_installation, until
from tests.kafka import Kafka

HELD = {"scoring": "feedback", "alerts": "followup"}


@pytest.fixture(params=["embedded", "kafka"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    with temporary_installation() as made:
        if request.param == "kafka":
            kafka: Kafka = request.getfixturevalue("kafka")
            made.environment["KAFKA_BOOTSTRAP_SERVERS"] = kafka.connection.servers
            made.environment["PETLA_TOPIC_PREFIX"] = f"{made.data.parent.name}."
        yield made


class Holder:
    """A session that keeps a table to itself."""

    def __init__(self, installation: Installation, service: str) -> None:
        self._folder = str(Cluster(installation.data, server_account()).socket_folder)
        self._service = service
        self._runner = asyncio.Runner()

    @contextmanager
    def holding(self) -> Iterator[None]:
        connection = self._runner.run(
            asyncpg.connect(host=self._folder, port=PORT, user="petla", database=f"petla_{self._service}")
        )
        self._runner.run(connection.execute(f"BEGIN; LOCK TABLE {HELD[self._service]}"))
        self._connection = connection
        try:
            yield
        finally:
            self._runner.run(connection.close())
            self._runner.close()

    def somebody_waits(self) -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return bool(self._runner.run(self._connection.fetchval(waiting)))


def started(installation: Installation) -> tuple[dict[str, Server], str]:
    """The three services and a key."""
    servers = {name: installation.start(name) for name in ("ingest", "scoring", "alerts")}
    for server in servers.values():
        server.wait_ready()
    key = installation.create_key()["key"]
    with Client(servers["ingest"].url, key) as client:
        until(lambda: client.status("POST", "/v1/events", json={}) != 401, 5, "the key in force")
    return servers, key


def send(servers: dict[str, Server], key: str, prefix: str) -> None:
    with Client(servers["ingest"].url, key) as client:
        client.send([answer(f"{prefix}-{number}") for number in range(20)])


def settled(servers: dict[str, Server], key: str, count: int) -> dict[str, int]:
    """How often the answers were read, once each has been followed up once."""
    with Client(servers["scoring"].url, key) as scoring:

        def counted() -> dict[str, object] | None:
            found = scoring.get("/v1/reconciliation")
            return found if found["settled"] and found["detractors"]["total"] == count else None

        found = until(counted, 30, f"{count} answers counted")
    assert found["balanced"]
    with Client(servers["alerts"].url, key) as alerts:
        assert alerts.followups() == count
    (topic,) = [each for name, each in found["topics"].items() if name.endswith("feedback")]
    return {"new": topic["new"], "duplicates": topic["duplicates"]}


@pytest.mark.slow
@pytest.mark.parametrize("service", ["scoring", "alerts"])
def test_a_process_frozen_inside_its_transaction_counts_nothing_twice(installation: Installation, service: str) -> None:
    servers, key = started(installation)
    send(servers, key, "before")
    settled(servers, key, 20)

    frozen, holder = servers[service], Holder(installation, service)
    with holder.holding():
        send(servers, key, "inside")
        until(holder.somebody_waits, 10, "a batch in the middle of its transaction")
        os.kill(frozen.process.pid, signal.SIGSTOP)
    servers[service] = installation.up(service)
    assert settled(servers, key, 40) == {"new": 40, "duplicates": 0}

    os.kill(frozen.process.pid, signal.SIGCONT)
    send(servers, key, "after")
    assert settled(servers, key, 60) == {"new": 60, "duplicates": 0}
    frozen.wait_ready()


@pytest.mark.slow
def test_what_is_sent_again_to_a_frozen_ingest_counts_once(installation: Installation) -> None:
    """I-07: its clients give up twice before it thaws; then it may answer all three to nobody but the last."""
    servers, key = started(installation)
    send(servers, key, "before")

    events = [answer(f"frozen-{number}") for number in range(20)]
    headers = {"Authorization": f"Bearer {key}"}
    os.kill(servers["ingest"].process.pid, signal.SIGSTOP)
    with httpx.Client(base_url=servers["ingest"].url, headers=headers, timeout=2.5, trust_env=False) as http:
        for _ in range(2):
            with pytest.raises(httpx.TimeoutException):
                http.post("/v1/events", json=events)
    os.kill(servers["ingest"].process.pid, signal.SIGCONT)
    with Client(servers["ingest"].url, key) as client:
        client.send(events)
    assert settled(servers, key, 40)["new"] == 40
