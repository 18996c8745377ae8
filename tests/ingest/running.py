"""Ingest on the log in memory, with a key, a clock that tests hold, and requests made by hand."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from services.ingest.app import build
from services.ingest.settings import IngestSettings
from shared.access import create_key
from shared.config import ConfigStore
from shared.events.envelope import Event, decode_event
from shared.log.memory import MemoryLog
from shared.sealing import Sealing
from shared.service import Service

ARRIVAL = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JSON = "application/json"
SECRET = b"a secret that only tests have"


class HeldClock:
    def __init__(self) -> None:
        self._passed = self._off = 0.0

    def now(self) -> datetime:
        return ARRIVAL + timedelta(seconds=self._passed + self._off)

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        self._passed += seconds

    def jump(self, seconds: float) -> None:
        """As when somebody sets the wall clock: no time passes."""
        self._off += seconds


class RunningIngest:
    """`key` may send events; `header` is its Authorization."""

    def __init__(self, per_second: int = 0, snapshot: Path | None = None, **settings: Any) -> None:
        self.settings = IngestSettings(INGEST_MAX_EVENTS_PER_SECOND=per_second, **settings)
        self.log = MemoryLog(self.settings.topics())
        self.config = ConfigStore(self.log, "petla.config", snapshot)
        self.clock = HeldClock()
        self.sealing = Sealing(SECRET)
        self.service: Service = build(self.settings, self.log, self.config, self.clock, self.sealing)
        self.key = ""

    async def start(self) -> None:
        await self.config.start()
        await self.service.start()
        self.key = await self.new_key("shop", "events:write")

    async def stop(self) -> None:
        await self.service.stop()
        await self.config.stop()

    async def new_key(self, source: str, *scopes: str) -> str:
        return (await create_key(self.config, source, scopes)).key

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.service.app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8081") as client:
            return await client.request(method, path, **more)

    async def send(
        self,
        body: bytes | AsyncIterator[bytes] | Sequence[Any] | Mapping[str, Any],
        media: str | None = JSON,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """What is not bytes is sent as JSON."""
        content = msgspec.json.encode(body) if isinstance(body, list | dict) else body
        sent = {"Authorization": f"Bearer {key or self.key}", **(headers or {})}
        if media is not None:
            sent["Content-Type"] = media
        return await self.request("POST", "/v1/events", content=content, headers=sent)

    def events(self, topic: str = "petla.feedback") -> list[Event]:
        """What lies on the log, in the order of the partitions."""
        return [decode_event(record.value) for record in self.log.records(topic) if record.value]


def answer(number: int | str = 1, score: Any = 3, **data: Any) -> dict[str, Any]:
    """An answer to an NPS question; None as a field leaves it out."""
    fields = {"metric": "nps", "score": score, "customer": "c-1", **data}
    return event("feedback.received.v1", f"r-{number}", **{k: v for k, v in fields.items() if v is not None})


def event(kind: str, name: str = "e-1", **data: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": name, "source": "/survey", "type": kind, "data": data}


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["title"]
    assert body["detail"]
    return body
