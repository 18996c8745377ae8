"""Databases that die, that are not there yet, and that are somebody else's: everything heals by itself."""

import os
import signal

import httpx

from shared.postgres_binaries import server_account
from shared.postgres_cluster import Cluster
from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, until
from tests.postgres_server import operators_server


def checks(server: Server) -> dict[str, str]:
    return dict(httpx.get(f"{server.url}/readyz", timeout=10, trust_env=False).json()["checks"])


def settled(server: Server, key: str, feedback: int) -> None:
    with Client(server.url, key) as client:
        until(lambda: client.status("GET", "/v1/reconciliation") == 200, 30, "an answer")
        found = client.settled(30)
        assert found["balanced"]
        assert found["topics"]["petla.feedback"]["new"] == feedback


def send(server: Server, key: str, prefix: str) -> None:
    with Client(server.url, key) as client:
        client.send([answer(f"{prefix}-{number}") for number in range(20)])


def test_an_embedded_server_that_is_killed_comes_back(installation: Installation) -> None:
    server = installation.up()
    key = installation.create_key()["key"]
    send(server, key, "before")
    settled(server, key, 20)
    pid = Cluster(installation.data, server_account()).running_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    send(server, key, "after")
    settled(server, key, 40)
    assert server.terminate() == 0
    assert Cluster(installation.data, server_account()).running_pid() is None


def test_an_operator_s_server_may_come_later_and_go_at_once(installation: Installation) -> None:
    with operators_server() as postgres:
        server = installation.start(DATABASE_URL=f"{postgres.url}/postgres", PETLA_DATABASE_PREFIX="shop_")
        key = installation.create_key()["key"]
        send(server, key, "before")
        assert checks(server)["scoring.database"] == checks(server)["alerts.database"] == "the database does not answer"
        assert checks(server)["ingest.log"] == "ok"
        postgres.start()
        server.wait_ready()
        settled(server, key, 20)

        postgres.stop_immediately()
        send(server, key, "without")
        postgres.start()
        settled(server, key, 40)
        assert not (installation.data / "postgres").exists()
        assert server.terminate() == 0


def test_each_database_may_be_named_by_itself(installation: Installation) -> None:
    with operators_server() as postgres:
        postgres.start()
        server = installation.up(
            SCORING_DATABASE_URL=f"{postgres.url}/numbers", ALERTS_DATABASE_URL=f"{postgres.url}/people"
        )
        key = installation.create_key()["key"]
        send(server, key, "one")
        settled(server, key, 20)


def test_an_address_that_is_none_is_one_sentence(installation: Installation) -> None:
    refused = installation.command("up", environment={"DATABASE_URL": "mysql://root:secret@db/x"})
    assert refused.returncode == 2
    assert refused.stderr.startswith("petla: DATABASE_URL:")
    assert "secret" not in refused.stderr
