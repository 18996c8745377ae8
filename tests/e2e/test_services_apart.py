"""Ingest, scoring and alerts as three processes on one data folder are one Pętla; a key works in all within seconds."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, free_port, temporary_installation, until

EFFECTIVE_SECONDS = 5.0


@pytest.fixture(scope="module")
def apart() -> Iterator[tuple[Installation, dict[str, Server]]]:
    with temporary_installation() as installation:
        servers = {name: installation.start(name) for name in ("ingest", "scoring", "alerts")}
        for server in servers.values():
            server.wait_ready()
        yield installation, servers


def test_each_says_how_it_is_and_what_it_takes(apart: tuple[Installation, dict[str, Server]]) -> None:
    _, servers = apart
    for server in servers.values():
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            assert http.get("/healthz").json() == {"healthy": True}
            ready = http.get("/readyz").json()
            assert ready["ready"] is True
            assert {"log", "config"} <= set(ready["checks"])
            assert http.get("/metrics").status_code == http.get("/docs").status_code == 200
            assert http.get("/openapi.json").json()["paths"]
            assert http.post("/healthz").status_code == 405
            assert http.get("/nowhere").json()["code"] == "not_found"


def test_an_answer_becomes_a_number_and_a_follow_up(apart: tuple[Installation, dict[str, Server]]) -> None:
    installation, servers = apart
    key = installation.create_key()["key"]
    with Client(servers["ingest"].url, key) as ingest:
        feedback, _ = ingest.send([answer("a"), answer("b")])
    with Client(servers["scoring"].url, key) as scoring:
        assert scoring.settled()["balanced"]
        scored = scoring.get(f"/v1/feedback/{feedback}")
        assert (scored["score"], scored["group"], scored["followup"]["state"]) == (3, "detractor", "new")
        assert scoring.get("/v1/metrics/nps")["histogram"]["3"] >= 2
    with Client(servers["alerts"].url, key) as alerts:
        (followup,) = alerts.get("/v1/followups", feedback=feedback)["items"]
        assert followup["id"] == scored["followup"]["id"]


def test_a_key_works_everywhere_and_ends_everywhere(apart: tuple[Installation, dict[str, Server]]) -> None:
    installation, servers = apart
    made = installation.create_key("events:write", "metrics:read", "followups:read", source="three")
    asked = {"ingest": ("POST", "/v1/events"), "scoring": ("GET", "/v1/metrics"), "alerts": ("GET", "/v1/followups")}

    def statuses() -> set[int]:
        found = set()
        for name, (method, path) in asked.items():
            with Client(servers[name].url, made["key"]) as client:
                found.add(client.status(method, path, json=answer("k") if method == "POST" else None))
        return found

    until(lambda: statuses() <= {200, 202}, EFFECTIVE_SECONDS, "a new key in force everywhere")
    assert installation.command("keys", "revoke", made["id"]).stdout == f"revoked {made['id']}\n"
    until(lambda: statuses() == {401}, EFFECTIVE_SECONDS, "a revoked key refused everywhere")

    listed = json.loads(installation.command("keys", "list", "--json").stdout)
    (found,) = (key for key in listed if key["id"] == made["id"])
    assert found["source"] == "three"
    assert found["revoked"].endswith("Z")
    assert "key" not in found
    assert made["key"] not in installation.command("keys", "list").stdout


def test_all_in_one_is_refused_beside_them(apart: tuple[Installation, dict[str, Server]]) -> None:
    installation, _ = apart
    refused = installation.command("up", "--port", str(free_port()))
    assert refused.returncode == 2
    assert "another Pętla is running" in refused.stderr


def test_a_key_is_only_for_what_it_was_made_for(apart: tuple[Installation, dict[str, Server]]) -> None:
    installation, servers = apart
    key = installation.create_key("events:write")["key"]
    with Client(servers["ingest"].url, key) as ingest:
        ingest.send([answer("k")])
    for name, path in (("scoring", "/v1/metrics"), ("alerts", "/v1/followups")):
        with Client(servers[name].url, key) as client:
            until(lambda: client.status("GET", path) == 403, EFFECTIVE_SECONDS, f"{path} refuses the key")  # noqa: B023
