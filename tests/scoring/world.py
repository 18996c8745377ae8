"""Scoring on a log in memory and a database: what it is told, a batch at a time, and what it is asked."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec import Raw
from sqlalchemy import text

from services.scoring.asking import Scores
from services.scoring.handlers import Handlers, subscriptions
from services.scoring.metrics.registry import METRICS
from services.scoring.publishing import Publisher
from services.scoring.question import Question, ask
from services.scoring.reconciliation import Consumed
from services.scoring.settings import ScoringSettings
from shared.consumer.worker import Worker
from shared.db import Database
from shared.events.catalogue import TYPES
from shared.events.envelope import Event, decode_event, encode, fact_id, object_key
from shared.events.followups import POSITION, SUPPRESSED, event_type
from shared.events.scores import FeedbackScored
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord
from tests.builders import ANSWERED, fact_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TABLES = (
    "feedback", "activity", "delivery", "rollup", "followup", "suppression", "alerts_position",
    "source_record", "source_fact", "source_day", "source_seen", "source_delivery",
    "consumer_offset", "consumer_tally", "worker", "log_gap", "dead_letter",
)  # fmt: skip
_scored = TYPES["feedback.scored.v1"].decoder.decode


class HeldClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


class World:
    def __init__(self, db: Database, partitions: int = 3) -> None:
        self.settings = ScoringSettings(partitions=partitions, timezone="Europe/Warsaw")
        self.topics = Consumed(
            "petla.feedback", "petla.activity", "petla.followups", ("petla.scores", "petla.activity"), "petla.raw"
        )
        self.log = MemoryLog(self.settings.topics())
        self.db = db
        self.clock = HeldClock()
        self.worker = self.new_worker()
        self.scores = Scores(db, self.log, self.clock, self.settings.zone, self.topics)

    def new_worker(self) -> Worker:
        handlers = Handlers(self.settings.zone, Publisher("petla.scores"))
        return Worker(
            self.log, self.db, self.topics.by_scoring, subscriptions(handlers), self.clock, handlers.republish
        )

    async def empty(self) -> None:
        """As if nothing had ever been read: cheaper than a new database."""
        *others, last = (f"DELETE FROM {table}" for table in TABLES)
        chain = ", ".join(f"t{at} AS ({statement} RETURNING 1)" for at, statement in enumerate(others))
        await self.execute(f"WITH {chain} {last}")

    async def told(self, *records: NewRecord) -> None:
        """All of it in one batch, and published."""
        await self.log.append(records)
        await self.read()

    async def read(self) -> None:
        """To the ends, until nothing is owed any more: one idle pass may have been a claim."""
        idle = 0
        while idle < 2:
            idle = 0 if await self.worker.run_once() else idle + 1

    async def bury_worker(self) -> None:
        """What happens once the leases of a killed worker have run out."""
        await self.execute("UPDATE consumer_offset SET lease_until = clock_timestamp() - interval '1 s'")
        await self.execute("DELETE FROM worker")
        self.worker = self.new_worker()

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(text(statement), values)

    async def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.db.snapshot() as tx:
            return [tuple(row) for row in await tx.execute(text(statement), values)]

    async def feedback(self, name: str) -> dict[str, Any] | None:
        return await self.scores.feedback(UUID(fact_of(name)))

    async def metric(self, metric: str, **asked: Any) -> dict[str, Any]:
        return await self.scores.answer(question(metric, **asked))

    async def reconciliation(self) -> dict[str, Any]:
        return await self.scores.reconciliation()

    def published(self) -> list[FeedbackScored]:
        """The scored events, partition by partition."""
        events = (decode_event(record.value or b"") for record in self.log.records("petla.scores"))
        return [_scored(event.data) for event in events]


def question(metric: str, /, start: str = "2026-11-01", end: str = "2026-12-01", **asked: Any) -> Question:
    defaults: dict[str, Any] = {
        "timezone": "Europe/Warsaw",
        "granularity": None,
        "group_by": None,
        "compare_to": None,
        "confidence": 0.95,
        "filters": {},
        "now": NOW,
    }
    return ask(METRICS[metric], start=start, end=end, **defaults | asked)


def step(kind: str, name: str, version: int, state: str, /, at: datetime = ANSWERED, **told: Any) -> NewRecord:
    """A step of the follow-up of the feedback of that name."""
    data = {"followup_id": str(fact_id("followup", name)), "version": version, "feedback": fact_of(name)}
    return _from_alerts(event_type(kind), name, {**data, "at": at, "by": "anna", "state": state, **told})


def suppressed(name: str, reason: str, revision: int = 0) -> NewRecord:
    data = {"feedback": fact_of(name), "version": revision, "reason": reason, "at": ANSWERED, "by": "petla"}
    return _from_alerts(SUPPRESSED, name, data)


def position(positions: dict[str, dict[int, int]], at: datetime = ANSWERED) -> NewRecord:
    named = {topic: {str(number): end for number, end in ends.items()} for topic, ends in positions.items()}
    return _from_alerts(POSITION, "position", {"positions": named, "at": at})


def _from_alerts(type_: str, name: str, data: dict[str, Any]) -> NewRecord:
    known = encode(data)
    event = Event(
        "1.0", f"{name}/{data.get('version', 0)}", "/petla/alerts", type_, ANSWERED, "petla", fact_of(name), ANSWERED,
        Raw(known),
    )  # fmt: skip
    return NewRecord("petla.followups", object_key("followup", name), encode(event))


def batches(records: Sequence[NewRecord], cuts: Iterable[int]) -> list[Sequence[NewRecord]]:
    """The records in pieces that end at the cuts."""
    ends = [*sorted({cut for cut in cuts if 0 < cut < len(records)}), len(records)]
    starts = [0, *ends]
    return [records[start:end] for start, end in zip(starts, ends, strict=False)]
