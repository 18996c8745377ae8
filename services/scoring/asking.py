"""Everything that can be asked of scoring, each answer from one snapshot of the database."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from services.scoring.answers import answer
from services.scoring.metrics.cells import plain_number
from services.scoring.persons import everything
from services.scoring.question import Question
from services.scoring.reconciliation import Consumed, reconcile
from services.scoring.store import open_followups, reconciliation, records, samples
from services.scoring.store import zone as zone_of_rollups
from services.scoring.store.persons import Fact, happened
from services.scoring.store.records import Place
from services.scoring.waiting import OpenFollowups
from shared.clock import Clock, rfc3339
from shared.consumer.progress import progress
from shared.db import Database
from shared.events.fields import EARLIEST, LATEST
from shared.log.port import Log


class Scores:
    """`zone` is the one that questions without a `tz` mean; whose days the rollups count they say themselves."""

    def __init__(self, db: Database, log: Log, clock: Clock, zone: ZoneInfo, topics: Consumed) -> None:
        self.timezone = zone.key
        self.now = clock.now
        self._db = db
        self._log = log
        self._topics = topics

    async def answer(self, question: Question) -> dict[str, Any]:
        async with self._db.snapshot() as tx:
            rolled = ZoneInfo(await zone_of_rollups.known(tx) or self.timezone)
            now = await samples.read(question, rolled, tx)
            before = None
            if question.compared:
                before = await samples.read(question.of(question.compared), rolled, tx)
        return answer(question, now, before)

    async def feedback(self, id_: UUID) -> dict[str, Any] | None:
        """As `GET /v1/feedback/{id}` answers it; None while it is not scored."""
        async with self._db.snapshot() as tx:
            rows = await records.revisions(id_, tx)
            if not rows:
                return None
            conflicts = await records.conflicts(id_, tx)
            followup = await records.followup(id_, tx)
        current = rows[0]
        # A retraction says nothing of its own; it is shown with what it took back.
        known = next((row for row in rows if not row.retracted), current)
        return {
            "id": str(current.id),
            "feedback_id": current.data.get("feedback_id"),
            "source": current.sender,
            "metric": known.metric,
            "score": None if known.score is None else plain_number(known.score),
            "group": current.group_name,
            "revision": current.revision,
            "retracted": current.retracted,
            "conflicts": conflicts,
            "time": rfc3339(current.time),
            "received_at": rfc3339(current.received_at),
            "followup": followup and {"id": str(followup[0]), "state": followup[1]},
        }

    async def dead_letters(self, kind: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
        """ValueError for a cursor that is not ours."""
        after = _read_cursor(cursor) if cursor else None
        async with self._db.snapshot() as tx:
            rows, total = await records.dead_letters(kind, limit + 1, after, tx)
        items = [
            {
                "kind": row.kind,
                "topic": row.topic,
                "partition": row.partition,
                "offset": row.log_offset,
                "reason": row.reason,
                "detail": row.detail,
                "id": row.id and str(row.id),
                "source": row.source,
                "at": rfc3339(row.at),
            }
            for row in rows[:limit]
        ]
        more = _cursor(Place._make(getattr(rows[limit - 1], name) for name in Place._fields)) if rows[limit:] else None
        return {"items": items, "next_cursor": more, "total": total}

    async def facts_of(self, customer: str, limit: int, cursor: str | None) -> dict[str, Any]:
        """LookupError for a cursor that names none of the customer's facts."""
        async with self._db.snapshot() as tx:
            facts, belongings = await everything(customer, LATEST, tx)
            facts += await happened(belongings, tx)
        facts.sort(key=lambda fact: (fact.time, fact.id, fact.revision))
        places = {f"{fact.id}/{fact.revision}": at for at, fact in enumerate(facts)}
        first = places[cursor] + 1 if cursor else 0
        shown = facts[first : first + limit]
        more = first + limit < len(facts)
        return {
            "customer": customer,
            "items": [_fact(fact) for fact in shown],
            "next_cursor": f"{shown[-1].id}/{shown[-1].revision}" if more else None,
            "total": len(facts),
        }

    async def reconciliation(self) -> dict[str, Any]:
        # The ends first: what is written while the rows are read must not make a settled state look unsettled.
        ends = {topic: await self._log.bounds(topic) for topic in {*self._topics.by_scoring, *self._topics.by_alerts}}
        async with self._db.snapshot() as tx:
            rows = await reconciliation.rows(self._topics.feedback, tx)
            read = await progress(tx)
        return reconcile(rows, read, ends, self._topics)

    async def open_followups(self, edges: Sequence[datetime], limit: int) -> OpenFollowups:
        async with self._db.snapshot() as tx:
            return await open_followups.read(edges, limit, tx)


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "type": fact.type,
        "id": fact.id,
        "revision": fact.revision,
        "current": fact.current,
        "source": fact.sender,
        "time": rfc3339(fact.time),
        "received_at": rfc3339(fact.received_at),
        "data": msgspec.to_builtins(fact.told),
    }


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _read_cursor(cursor: str) -> Place:
    """ValueError for anything that `_cursor` did not write, or the database could not compare."""
    place = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=Place)
    if not EARLIEST <= place.at < LATEST or "\0" in place.topic + place.incarnation or _cursor(place) != cursor:
        raise ValueError("not a cursor")
    return place
