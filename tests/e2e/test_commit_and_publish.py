"""Killed between a commit and what must follow it: the log is held by another writer until the kill has come.

Chance hardly ever hits these moments; here each is hit every time.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from tests.e2e.client import Client
from tests.e2e.disks import kept
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, until

ANSWERS = 20


@contextmanager
def nobody_writes(installation: Installation, topic: str) -> Iterator[None]:
    """Appending to the topic waits, for five seconds, then fails; reading goes on."""
    with closing(sqlite3.connect(installation.data / "log" / f"petla.{topic}.db", isolation_level=None)) as log:
        log.execute("BEGIN IMMEDIATE")
        yield
        log.execute("ROLLBACK")


@pytest.fixture
def servers(installation: Installation) -> dict[str, Server]:
    started = {name: installation.start(name) for name in ("ingest", "scoring", "alerts")}
    for server in started.values():
        server.wait_ready()
    return started


def assert_all_followed_up(scoring: Client) -> None:
    found = scoring.settled()
    assert found["detractors"] == {"total": ANSWERS, "followups": ANSWERS, "suppressed": {}, "missing": 0}
    assert found["balanced"]


@pytest.mark.slow
def test_what_was_scored_and_not_yet_told_is_told_at_the_next_start(
    installation: Installation, servers: dict[str, Server]
) -> None:
    key = installation.create_key()["key"]
    with Client(servers["ingest"].url, key) as ingest, Client(servers["scoring"].url, key) as scoring:
        with nobody_writes(installation, "scores"):
            ingest.send([answer(f"a-{number}") for number in range(ANSWERS)])
            until(lambda: scoring.get("/v1/metrics/nps")["n"] == ANSWERS, 10, "a commit")
            servers["scoring"].kill()
        installation.up("scoring", servers["scoring"].port)
        assert_all_followed_up(scoring)


@pytest.mark.slow
def test_follow_ups_opened_and_not_yet_told_are_told_at_the_next_start(
    installation: Installation, servers: dict[str, Server]
) -> None:
    key = installation.create_key()["key"]
    with Client(servers["ingest"].url, key) as ingest, Client(servers["alerts"].url, key) as alerts:
        with nobody_writes(installation, "followups"):
            ingest.send([answer(f"a-{number}") for number in range(ANSWERS)])
            until(lambda: alerts.followups() == ANSWERS, 10, "a commit")
            servers["alerts"].kill()
        installation.up("alerts", servers["alerts"].port)
        assert alerts.followups() == ANSWERS
    with Client(servers["scoring"].url, key) as scoring:
        assert_all_followed_up(scoring)


def test_an_event_that_the_log_has_not_taken_is_not_answered(installation: Installation) -> None:
    server, key = installation.up("ingest"), installation.create_key()["key"]
    http = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    with http, nobody_writes(installation, "feedback"):
        with pytest.raises(httpx.ReadTimeout):
            http.post("/v1/events", json=answer("a"), timeout=1)
        server.kill()
    assert kept(installation, "petla.feedback") == 0


def test_a_log_that_stays_locked_is_503_and_then_heals(installation: Installation) -> None:
    server, key = installation.up("ingest"), installation.create_key()["key"]
    http = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=20)
    with http:
        with nobody_writes(installation, "feedback"):
            refused = http.post("/v1/events", json=answer("a"))
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) >= 1
            assert http.get("/readyz").status_code == 503
        assert http.post("/v1/events", json=answer("a")).status_code == 202
        until(lambda: http.get("/readyz").status_code == 200, 15, "ready again")
