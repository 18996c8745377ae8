"""Alerts on a log in memory and a database: what the tests tell it, step by step, and what they ask it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.handlers import Handlers, subscriptions
from services.alerts.overdue import OverdueWatch
from services.alerts.relay import Relay
from services.alerts.settings import AlertsSettings
from shared.consumer.worker import Worker
from shared.db import Database
from shared.events.envelope import fact_id, object_key
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord

ANSWERED = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class HeldClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1_000.0 + self.seconds


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class FailingDatabase:
    """A database whose next transaction ends in a kill, before or after the commit."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.kill: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        kill, self.kill = self.kill, None
        async with self._db.transaction() as tx:
            yield tx
            if kill == "before":
                raise Killed
        if kill == "after":
            raise Killed


def settings(**changed: Any) -> AlertsSettings:
    return AlertsSettings(partitions=4, **changed)


def feedback_id(name: str) -> UUID:
    return fact_id("test", name)


def scored(name: str, /, revision: int = 0, score: float | None = 3, **data: Any) -> dict[str, Any]:
    """`score` None is a retraction; nps 0–6 is a detractor."""
    answer = {"metric": "nps", "score": score, "scale_min": 0, "scale_max": 10, "text": "Za późno"}
    if score is None:
        answer = {}
    elif score <= 6:
        answer["group"] = "detractor"
    else:
        answer["group"] = "promoter"
    told = {
        "feedback": str(feedback_id(name)),
        "revision": revision,
        "retracted": score is None,
        "sender": "shop",
        "time": ANSWERED.isoformat(),
        "received_at": ANSWERED.isoformat(),
        "customer": "c-1",
        **answer,
        **data,
    }
    return _event("feedback.scored.v1", f"{name}-{revision}", told, revision)


def activity(type_: str, name: str, /, revision: int = 0, time: datetime = ANSWERED, **data: Any) -> dict[str, Any]:
    return _event(type_, name, data, revision, time)


def _event(type_: str, id_: str, data: Any, revision: int, time: datetime = ANSWERED) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/test",
        "type": type_,
        "time": time.isoformat(),
        "sender": "shop",
        "factid": str(fact_id(type_, id_)),
        "receivedat": ANSWERED.isoformat(),
        "data": data,
        "revision": revision,
    }


class World:
    """`tell` puts events on the log, `consume` has a worker read them all."""

    def __init__(self, db: Database, **changed: Any) -> None:
        self.settings = settings(**changed)
        self.db = FailingDatabase(db)
        self.log = MemoryLog(self.settings.topics())
        self.clock = HeldClock()
        self.woken = 0
        self.worker = self.new_worker()
        self.relay = self.new_relay()
        self.watch = OverdueWatch(self.db, self.settings.notifies, self.wake)  # type: ignore[arg-type]
        self._unread = 0

    def wake(self) -> None:
        self.woken += 1

    def new_worker(self) -> Worker:
        topics = [self.settings.topic("scores"), self.settings.topic("activity")]
        handlers = subscriptions(Handlers(self.settings, self.wake))
        return Worker(self.log, self.db, topics, handlers, self.clock)  # type: ignore[arg-type]

    def new_relay(self) -> Relay:
        return Relay(self.log, self.db, self.settings.topic("followups"), self.clock)  # type: ignore[arg-type]

    async def tell(self, *events: dict[str, Any]) -> None:
        records = [self._record(event) for event in events]
        await self.log.append(records)
        self._unread += len(records)

    async def consume(self) -> None:
        while self._unread:
            self._unread -= await self.worker.run_once()

    async def consume_nothing(self) -> None:
        """One pass over an empty log: the worker holds its partitions afterwards."""
        await self.worker.run_once()

    async def told(self, *events: dict[str, Any]) -> None:
        """One batch, read."""
        await self.tell(*events)
        await self.consume()

    async def bury_worker(self) -> None:
        """What the runtime does once the leases of a killed worker have run out."""
        await self.execute("UPDATE consumer_offset SET lease_until = clock_timestamp() - interval '1 s'")
        await self.execute("DELETE FROM worker")
        self.worker = self.new_worker()

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(text(statement), values)

    async def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.db.transaction() as tx:
            return [dict(row._mapping) for row in await tx.execute(text(statement), values)]

    async def followup(self, name: str) -> dict[str, Any]:
        (found,) = await self.rows("SELECT * FROM followup WHERE feedback = :id", id=feedback_id(name))
        return found

    async def states(self) -> dict[UUID, str]:
        return {row["feedback"]: row["state"] for row in await self.rows("SELECT feedback, state FROM followup")}

    async def kinds(self, name: str) -> list[str]:
        """What happened to the follow-up of the feedback, in the order of its versions."""
        rows = await self.rows(
            "SELECT kind FROM followup_event e JOIN followup f ON f.id = e.followup_id WHERE f.feedback = :id"
            " ORDER BY e.version",
            id=feedback_id(name),
        )
        return [row["kind"] for row in rows]

    async def suppressions(self) -> set[tuple[UUID, int, str]]:
        rows = await self.rows("SELECT feedback, revision, reason FROM suppression")
        return {(row["feedback"], row["revision"], row["reason"]) for row in rows}

    def published(self) -> list[dict[str, Any]]:
        return [json.loads(record.value or b"") for record in self.log.records(self.settings.topic("followups"))]

    def _record(self, event: dict[str, Any]) -> NewRecord:
        is_score = event["type"] == "feedback.scored.v1"
        key = object_key("feedback", event["data"]["feedback"]) if is_score else object_key("test", event["id"])
        return NewRecord(self.settings.topic("scores" if is_score else "activity"), key, json.dumps(event).encode())
