"""A full disk: what cannot be kept is refused with 503 and a time to wait; with space again it is taken, all once."""

import httpx

from tests.e2e.client import Client
from tests.e2e.disks import fill, kept, mounted
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, until

MOST_EVENTS = 20_000


def taken_until_full(server: Server, key: str) -> tuple[int, httpx.Response]:
    """How many events were taken before the first that was not, and its answer."""
    with httpx.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=20
    ) as http:
        for number in range(MOST_EVENTS):
            refused = http.post("/v1/events", json=answer(f"full-{number}"))
            if refused.status_code != 202:
                return number, refused
    raise AssertionError(f"{MOST_EVENTS} events were taken on a full disk")


def readiness(server: Server) -> httpx.Response:
    return httpx.get(f"{server.url}/readyz", trust_env=False, timeout=20)


def test_a_full_disk_refuses_and_recovers(installation: Installation) -> None:
    with mounted(installation.data, "size=4m,mode=755") as data:
        server = installation.up("ingest")
        key = installation.create_key("events:write")["key"]
        with Client(server.url, key) as client:
            client.send([answer(f"before-{number}") for number in range(10)])
        filler = fill(data)
        taken, refused = taken_until_full(server, key)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["code"] == "log_unavailable"
        assert readiness(server).status_code == 503
        assert "is full: free some space" in readiness(server).json()["checks"]["log"]

        filler.unlink()
        with Client(server.url, key) as client:
            client.send([answer("after")])
        until(lambda: readiness(server).status_code == 200, 30, "ready again")
        assert server.terminate() == 0
        assert kept(installation, "petla.feedback") == 10 + taken + 1
