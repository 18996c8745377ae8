"""Scoring on a log in memory and a database, at a held moment: what is told to it, and the pages it serves."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import text

from services.scoring.app import build
from services.scoring.settings import ScoringSettings
from shared.access import create_key
from shared.config import ConfigStore
from shared.db import Database
from shared.events.envelope import fact_id, object_key
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord
from tests.sealing import SEALING

AT = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
TABLES = (
    "feedback, activity, delivery, rollup, followup, suppression, alerts_position,"
    " source_record, source_fact, source_day, source_seen, source_delivery,"
    " consumer_offset, consumer_tally, worker, log_gap, dead_letter"
)


class HeldClock:
    def now(self) -> datetime:
        return AT

    def monotonic(self) -> float:
        return 0.0


class Deployment:
    def __init__(self, db: Database) -> None:
        self.db = db
        settings = ScoringSettings(partitions=2)
        self._log = MemoryLog(settings.topics())
        self.config = ConfigStore(self._log, "petla.config")
        self.service = build(settings, self._log, self.config, db, HeldClock(), SEALING)
        self._unread = 0

    async def start(self) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(text(f"TRUNCATE {TABLES}"))
        await self.config.start()

    async def stop(self) -> None:
        await self.service.worker.stop()
        await self.config.stop()

    async def tell(self, topic: str, *events: dict[str, Any]) -> None:
        records = [NewRecord(f"petla.{topic}", _key(event), json.dumps(event).encode()) for event in events]
        await self._log.append(records)
        self._unread += len(records)
        while self._unread:
            self._unread -= await self.service.worker.run_once()

    async def key(self, *scopes: str) -> str:
        return (await create_key(self.config, "shop", scopes)).key

    async def get(
        self, path: str, headers: Mapping[str, str] | None = None, host: str = "localhost:8082"
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.service.app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.get(path, headers=headers)


def _key(event: dict[str, Any]) -> bytes:
    return object_key("test", event["factid"])


def answered(name: str, score: int, days_ago: float = 1, **data: Any) -> dict[str, Any]:
    told = {"metric": "nps", "score": score, "scale_min": 0, "scale_max": 10, "customer": "klient-17"}
    given = {"feedback_id": name, **told, "text": "Za późno", **data}
    return _event("feedback.received.v1", name, given, AT - timedelta(days=days_ago))


def customer(name: str) -> dict[str, Any]:
    return _event("customer.updated.v1", name, {"customer": "klient-17", "name": name, "email": "anna@example.com"})


def followup(name: str, kind: str, state: str, version: int, due_in_hours: float = 0, **data: Any) -> dict[str, Any]:
    """A step of the follow-up on the answer `name`; `opened` says who and what, as alerts does."""
    told: dict[str, Any] = {
        "followup_id": str(fact_id("followup", name)),
        "version": version,
        "feedback": str(fact_id(name)),
        "at": (AT - timedelta(hours=20 - version)).isoformat(),
        "by": "petla",
        "state": state,
    }
    if kind == "opened":
        told |= {
            "customer": "klient-17",
            "metric": "nps",
            "score": 3.0,
            "scale_min": 0.0,
            "scale_max": 10.0,
            "priority": "high",
            "first_attempt_due": (AT + timedelta(hours=due_in_hours)).isoformat(),
        }
    return _event(f"followup.{kind}.v1", f"{name}/{version}", told | data)


def _event(kind: str, name: str, data: dict[str, Any], time: datetime = AT) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/test",
        "type": kind,
        "time": time.isoformat(),
        "sender": "shop",
        "factid": str(fact_id(name)),
        "receivedat": AT.isoformat(),
        "data": data,
    }
