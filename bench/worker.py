"""Scoring's consumer as it runs in production, on a log and an empty database, in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bench.load import event
from services.ingest.admission import admit
from services.ingest.sent_event import from_document
from services.running import settle_memory
from services.scoring.app import MIGRATIONS
from services.scoring.handlers import Handlers, subscriptions
from services.scoring.publishing import Current, Publisher
from shared.clock import SystemClock
from shared.consumer.worker import Worker
from shared.db import Database
from shared.log.port import Log, NewRecord

FEEDBACK = "petla.feedback"
SCORES = "petla.scores"
TOPICS = (FEEDBACK, "petla.activity", "petla.followups")
ZONE = ZoneInfo("Europe/Warsaw")


def records(name: str, count: int) -> list[NewRecord]:
    """What ingest would have written for so many new events."""
    now = datetime.now(UTC)
    admitted = (admit(from_document(event(name, number)), "bench", now) for number in range(count))
    return [NewRecord(FEEDBACK, one.key, one.value) for one in admitted]


class _Silent(Publisher):
    """What scoring says of an event after the commit has no counterpart on the other side: nothing is made of it."""

    def scored_all(self, revisions: Iterable[Current]) -> list[NewRecord]:
        return []


@asynccontextmanager
async def scoring(log: Log, url: str) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Scores so many records."""
    db = Database(url)
    await db.migrate(MIGRATIONS)
    handlers = Handlers(ZONE, _Silent(SCORES))
    settle_memory()  # as every Pętla process does
    worker = Worker(log, db, TOPICS, subscriptions(handlers), SystemClock(), handlers.republish)

    async def score(count: int) -> None:
        done = 0
        while done < count:
            done += await worker.run_once()

    try:
        yield score
    finally:
        await worker.stop()
        await db.close()
