"""Records that nobody will ever read stop every reader, also the next one, until an operator lets them be set aside."""

import asyncio
from typing import Any

import httpx

from shared.log.port import NewRecord
from shared.log.sqlite import SqliteLog
from shared.settings import Settings
from tests.e2e.client import Client
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, until

GARBAGE = 60


async def append_garbage(installation: Installation) -> None:
    """On the topic that both scoring and alerts read."""
    log = SqliteLog(installation.data / "log", Settings(topic_prefix="petla.").topics())
    await log.append([NewRecord("petla.activity", b"one partition", b"garbage") for _ in range(GARBAGE)])
    await log.close()


def consumers(server: Server) -> list[str]:
    """What both say of their reading."""
    try:
        checks: dict[str, Any] = httpx.get(f"{server.url}/readyz", timeout=5, trust_env=False).json()["checks"]
    except httpx.TransportError:
        return []
    return [state for name, state in checks.items() if name.endswith("consumer")]


def test_who_has_looked_gets_past_them(installation: Installation) -> None:
    key = installation.create_key()["key"]
    asyncio.run(append_garbage(installation))
    for _ in range(2):
        server = installation.start()
        stopped = until(
            lambda server=server: [one for one in consumers(server) if "PETLA_SET_ASIDE_ALL=true" in one][1:],
            60,
            "both stopped",
        )
        assert "51 records in a row of petla.activity" in stopped[0]
        assert server.terminate() == 0

    server = installation.up(PETLA_SET_ASIDE_ALL="true")
    with Client(server.url, key) as client:
        client.send([answer("after")])
        found = client.settled()
        assert found["balanced"]
        assert found["topics"]["petla.activity"]["rejected"] == {"undecodable": GARBAGE}
        assert client.get("/v1/dead-letters")["total"] == GARBAGE
        assert client.get("/v1/metrics/nps")["n"] == 1
