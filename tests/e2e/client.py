"""A sender that never gives up: the same event again on anything but 2xx, as any good client of the API does."""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import httpx

from tests.e2e.processes import Installation, until

GIVE_UP_SECONDS = 60.0
KEY_SECONDS = 5.0
WRITES = "/v1/events"


class Client:
    """Requests with a key. `met` counts what made it send again: a status, or the name of a transport error.

    `kept` counts how accepted events were kept. Who has `others` sends again to the next of them.
    """

    def __init__(self, url: str, key: str, *others: str) -> None:
        self.met: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self._doors = deque([url, *others])
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=20, trust_env=False)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def send(self, events: Sequence[dict[str, Any]]) -> list[str]:
        """One event alone, several as a batch; the ids of the facts, once every one of them was accepted."""
        body = events[0] if len(events) == 1 else list(events)
        answer = until(lambda: self._accepted(body), GIVE_UP_SECONDS, "an answer of 202 to an event")
        assert answer.get("rejected", 0) == 0, answer
        items = answer.get("items", [answer])
        self.kept.update(item["durability"] for item in items)
        return [item["id"] for item in items]

    def _accepted(self, body: Any) -> dict[str, Any] | None:
        try:
            response = self._http.post(f"{self._doors[0]}{WRITES}", json=body)
        except httpx.TransportError as error:
            self._note(type(error).__name__)
            return None
        if response.is_success:
            return dict(response.json())
        self._note(str(response.status_code))
        return None

    def _note(self, reason: str) -> None:
        self.met[reason] += 1
        self._doors.rotate(-1)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON of a 200."""
        response = self._http.get(path, params=query)
        assert response.status_code == 200, f"GET {path}: {response.status_code} {response.text[:300]}"
        return dict(response.json())

    def status(self, method: str, path: str, **arguments: Any) -> int:
        return self._http.request(method, path, **arguments).status_code

    def followups(self, *states: str) -> int:
        """How many there are in these states; without any, all."""
        return int(self.get("/v1/followups", limit=1, state=list(states))["total"])

    def settled(self, seconds: float = 30.0) -> dict[str, Any]:
        """The reconciliation once everything sent has been read everywhere."""
        return until(self._reconciled, seconds, "a settled reconciliation")

    def _reconciled(self) -> dict[str, Any] | None:
        found = self.get("/v1/reconciliation")
        return found if found["settled"] else None


def usable_key(installation: Installation, *doors: str, source: str = "shop") -> str:
    """A new one that may do everything, once each of these addresses of ingest knows it."""
    key = str(installation.create_key(source=source)["key"])
    for door in doors:
        with Client(door, key) as client:
            until(lambda: client.status("POST", WRITES, json={}) == 422, KEY_SECONDS, "the key in force")
    return key
