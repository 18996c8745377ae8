"""Scoring behind its HTTP API, and the few records that the tests of the API ask about."""

from datetime import datetime
from typing import Any

import httpx

from services.scoring.app import ScoringService
from shared.config import ConfigStore
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord
from tests.builders import activity, answer, retraction

NOVEMBER = {"from": "2026-11-01", "to": "2026-12-01"}


class Api:
    def __init__(self, service: ScoringService, log: MemoryLog, config: ConfigStore) -> None:
        self.service, self.log, self.config = service, log, config
        self.key = ""

    async def get(self, path: str, params: Any = None, key: str | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(self.service.app)
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://scoring") as client:
            return await client.get(path, params=params, headers=headers)

    async def metric(self, metric: str, **params: Any) -> dict[str, Any]:
        response = await self.get(f"/v1/metrics/{metric}", NOVEMBER | params)
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def refusal(self, path: str, params: Any = None, key: str | None = None) -> dict[str, Any]:
        response = await self.get(path, params, key)
        assert response.headers["content-type"] == "application/problem+json", response.text
        return {"status": response.status_code, **response.json()}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


RECORDS = [
    answer("p1", 10, channel="email", campaign="spring", time=at("2026-11-02T10:00:00+01:00")),
    answer("p2", 9, channel="sms", time=at("2026-11-02T23:30:00+01:00")),
    answer("p3", 9, channel="web", time=at("2026-11-03T10:00:00+01:00")),
    answer("d1", 3, channel="email", time=at("2026-11-03T10:00:00+01:00")),
    answer("gone", 0, channel="email", time=at("2026-11-03T11:00:00+01:00")),
    retraction("gone"),
    answer("october", 8, time=at("2026-10-25T02:30:00+01:00")),  # the second half past two of that night
    answer("october2", 2, time=at("2026-10-25T23:59:59+01:00")),
    answer("five", 5, metric="csat", time=at("2026-11-05T10:00:00+01:00")),
    answer("seven", 5, metric="csat", scale_max=7, time=at("2026-11-05T10:00:00+01:00")),
    answer("clash", 10, metric="rating", scale_max=10, time=at("2026-11-05T10:00:00+01:00")),
    answer("clash", 1, metric="rating", scale_max=10, time=at("2026-11-05T10:00:00+01:00")),
    *(NewRecord("petla.feedback", b"", b"garbage %d" % number) for number in range(5)),
    activity("delivery.completed.v1", "c1", order_id="o1", completed_at="2026-11-05T10:00:00+01:00"),
]
