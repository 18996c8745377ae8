"""The next release migrates while processes of this one run, read and write; they go on, and new ones of this start."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from shared.db import Database
from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import PROJECT, Installation, Server, until
from tests.postgres_server import OperatorsServer, operators_server
from tests.shared.releases import newest, release

NEXT = {
    "scoring": (
        ["ALTER TABLE feedback ADD mood text", "ALTER TABLE followup ADD mood text", "CREATE TABLE mood (name text)"],
        ["CREATE INDEX CONCURRENTLY feedback_mood ON feedback (mood)"],
    ),
    "alerts": (
        ["ALTER TABLE followup ADD mood text", "ALTER TABLE notification ADD mood text NOT NULL DEFAULT 'calm'"],
        ["CREATE INDEX CONCURRENTLY followup_mood ON followup (mood)"],
    ),
}

pytestmark = pytest.mark.slow


@pytest.fixture
def postgres(installation: Installation) -> Iterator[OperatorsServer]:
    with operators_server() as server:
        server.start()
        installation.environment["DATABASE_URL"] = server.url
        yield server


def migrate(server: OperatorsServer, folder: Path) -> None:
    """As the next release's deploy/prepare.py does."""

    async def upgrade(name: str) -> None:
        statements, beside = NEXT[name]
        today = PROJECT / "services" / name / "migrations"
        database = Database(f"{server.url}/petla_{name}")
        try:
            assert await database.migrate(release(folder / name, statements, after=today, beside=beside)) is None
        finally:
            await database.close()

    for name in NEXT:
        asyncio.run(upgrade(name))


def at_work(servers: dict[str, Server], key: str, ending: Event) -> int:
    """Sends, reads, and works on follow-ups until told to end; how many answers it sent. Nothing may be refused."""
    sent = 0
    with (
        Client(servers["ingest"].url, key) as ingest,
        Client(servers["scoring"].url, key) as scoring,
        Client(servers["alerts"].url, key) as alerts,
    ):
        while not ending.is_set():
            ingest.send([answer(f"busy-{sent}")])
            sent += 1
            scoring.get("/v1/metrics/nps", group_by="channel")
            for one in alerts.get("/v1/followups", state="new", limit=1)["items"]:
                claim = {"version": one["version"], "by": "anna"}
                assert alerts.status("POST", f"/v1/followups/{one['id']}/claim", json=claim) == 200
    return sent


def test_this_version_goes_on_and_starts_on_the_schema_of_the_next(
    installation: Installation, postgres: OperatorsServer, tmp_path: Path
) -> None:
    servers = {name: installation.start(name) for name in ("ingest", "scoring", "alerts")}
    for server in servers.values():
        server.wait_ready()
    key = installation.create_key()["key"]
    with Client(servers["ingest"].url, key) as ingest:
        until(lambda: ingest.status("POST", "/v1/events", json={}) != 401, 5, "the key in force")
        ingest.send([answer(f"before-{number}") for number in range(20)])
    with Client(servers["alerts"].url, key) as alerts:
        until(lambda: alerts.followups() == 20, 20, "follow-ups")

    ending = Event()
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(at_work, servers, key, ending)
        try:
            until(lambda: servers_have(servers, key, 25), 30, "work under way")
            migrate(postgres, tmp_path)
            seen = followups(servers, key)
            until(lambda: servers_have(servers, key, seen + 10), 30, "work after the migration")
        finally:
            ending.set()
    sent = 20 + working.result()

    for name in ("scoring", "alerts"):
        assert servers[name].terminate() == 0
        assert servers[name].complaints() == ""
        servers[name] = installation.up(name)
    with Client(servers["ingest"].url, key) as ingest:
        ingest.send([answer("after")])
    with Client(servers["scoring"].url, key) as scoring:
        until(lambda: scoring.get("/v1/metrics/nps")["n"] == sent + 1, 30, "every answer")
        found = scoring.settled()
    assert found["balanced"]
    assert found["detractors"]["followups"] == sent + 1
    assert '"event": "schema_is_newer"' in servers["alerts"].stderr.read_text()
    told = "is at version {}, newer than this Pętla's, and serves it as it is"
    assert prepared(installation) == [f"ok    {name} database  {told.format(newest(tmp_path / name))}" for name in NEXT]


def followups(servers: dict[str, Server], key: str) -> int:
    with Client(servers["alerts"].url, key) as alerts:
        return alerts.followups()


def servers_have(servers: dict[str, Server], key: str, count: int) -> bool:
    return followups(servers, key) >= count


def prepared(installation: Installation) -> list[str]:
    """What deploy/prepare.py of this version says of the databases, three at once."""
    environment = installation._clean({})
    command = [sys.executable, "deploy/prepare.py"]
    started = [
        subprocess.Popen(command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[0].splitlines() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    (lines,) = {tuple(line for line in lines if " database " in line) for lines in said}
    return list(lines)
