"""Scoring and alerts on one log, each on its own database: tests step them as their loops would, faults and all."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.alerts import handlers as alerts_handlers
from services.alerts.relay import Relay
from services.alerts.settings import AlertsSettings
from services.scoring import handlers as scoring_handlers
from services.scoring.asking import Scores
from services.scoring.publishing import Publisher
from services.scoring.reconciliation import Consumed
from services.scoring.settings import ScoringSettings
from shared.consumer.worker import Worker
from shared.db import Database
from shared.events.envelope import decode_event
from shared.events.followups import POSITION
from shared.log.port import Log, NewRecord, Partition
from tests.alerts.world import SECRET
from tests.builders import answer
from tests.scoring.world import NOW, question

HEALS_SECONDS = 30.0
# What ten seconds of waiting would do: a relay whose answer was lost holds what it claimed for so long.
_LEASES_OVER = "UPDATE {} SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until IS NOT NULL"


class SteppedClock:
    """A second passes at every look of `World.once`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


class World:
    """`log` and `used` are what the services work on, maybe through proxies; `seen_log` and `seen` look past them.

    Databases are named by their service.
    """

    def __init__(
        self, log: Log, seen_log: Log, used: Mapping[str, Database], seen: Mapping[str, Database], prefix: str
    ) -> None:
        self.log = log
        self._seen_log = seen_log
        self.clock = SteppedClock()
        self.settings = ScoringSettings(topic_prefix=prefix)
        self._alerts_settings = AlertsSettings(
            topic_prefix=prefix,
            ALERTS_MAX_FEEDBACK_AGE_DAYS=0,
            ALERTS_WEBHOOK_URL="http://127.0.0.1:9/nobody",  # what is to be sent is written down; nothing here sends it
            ALERTS_WEBHOOK_SECRET=SECRET,
        )
        self._used = used
        self.seen = seen
        topic = self.settings.topic
        self._topics = Consumed(
            topic("feedback"), topic("activity"), topic("followups"), (topic("scores"), topic("activity")), topic("raw")
        )
        self.errors: list[Exception] = []
        self.start()

    def start(self) -> None:
        """New processes, as it were."""
        zone = self.settings.zone
        scoring = scoring_handlers.Handlers(zone, Publisher(self.settings.topic("scores")))
        self.scoring = Worker(
            self.log,
            self._used["scoring"],
            self._topics.by_scoring,
            scoring_handlers.subscriptions(scoring),
            self.clock,
            scoring.republish,
        )
        alerts = alerts_handlers.Handlers(self._alerts_settings, lambda: None)
        subscribed = alerts_handlers.subscriptions(alerts)
        self.alerts = Worker(self.log, self._used["alerts"], self._topics.by_alerts, subscribed, self.clock)
        self.relay = Relay(self.log, self._used["alerts"], self.settings.topic("followups"), self.clock)
        self._scores = Scores(self.seen["scoring"], self._seen_log, self.clock, zone, self._topics)

    async def stop(self) -> None:
        await self.scoring.stop()
        await self.alerts.stop()

    async def kill(self) -> None:
        """They end without a word, and their leases run out."""
        for worker in (self.scoring, self.alerts):
            await worker._reader.close()
        for service in self.seen:
            await self.execute(service, _LEASES_OVER.format("consumer_offset"))
            await self.execute(service, "DELETE FROM worker")

    def named(self, *records: NewRecord) -> list[NewRecord]:
        """For the topics of this world."""
        return [record._replace(topic=self.settings.topic(record.topic.removeprefix("petla."))) for record in records]

    async def send(self, *records: NewRecord) -> None:
        await self.log.append(self.named(*records))

    async def once(self) -> None:
        """One pass of every loop; what raises is tried again at the next, as the loops do."""
        self.clock.seconds += 1
        for pass_ in (self.scoring.run_once, self.alerts.run_once, self.relay.run_once):
            try:
                await pass_()
            except Exception as error:
                self.errors.append(error)

    async def healed(self) -> dict[str, Any]:
        """The reconciliation once everything sent has been read everywhere, and alerts has told where it stands."""
        async with asyncio.timeout(HEALS_SECONDS):
            await self.once()
            while not (found := await self.reconciliation())["settled"]:
                await self.once()
                for table in ("followup_event", "suppression"):
                    await self.execute("alerts", _LEASES_OVER.format(table))
        return found

    async def reconciliation(self) -> dict[str, Any]:
        return await self._scores.reconciliation()

    async def nps(self) -> dict[str, Any]:
        """From the rollups: what was counted, apart from the facts."""
        return await self._scores.answer(question("nps"))

    async def execute(self, service: str, statement: str) -> None:
        async with self.seen[service].transaction() as tx:
            await tx.execute(text(statement))

    async def rows(self, service: str, statement: str) -> list[tuple[Any, ...]]:
        async with self.seen[service].snapshot() as tx:
            return [tuple(row) for row in await tx.execute(text(statement))]

    async def followups(self) -> int:
        """AssertionError where one was opened twice."""
        rows = await self.rows("alerts", "SELECT followup_id FROM followup_event WHERE kind = 'opened'")
        assert len(rows) == len(set(rows)), "a follow-up was opened twice"
        return len(rows)

    async def published(self, name: str) -> Counter[str]:
        """The ids of the events on a topic, and how often each was sent; where alerts stands is no event."""
        found: Counter[str] = Counter()
        topic = self.settings.topic(name)
        bounds = await self._seen_log.bounds(topic)
        reader = self._seen_log.reader()
        await reader.assign({Partition(topic, number): start for number, (start, _) in bounds.items()})
        left = sum(end - start for start, end in bounds.values())
        async with asyncio.timeout(HEALS_SECONDS):
            while left > 0:
                records = await reader.read(1_000, 1)
                left -= len(records)
                events = (decode_event(record.value or b"") for record in records)
                found.update(event.id for event in events if event.type != POSITION)
        await reader.close()
        return found

    async def assert_counted_once(self, answers: int, detractors: int) -> dict[str, Any]:
        """The invariant of every fault, once healed; returns the reconciliation."""
        found = await self.healed()
        feedback = found["topics"][self.settings.topic("feedback")]
        assert feedback["new"] == found["feedback"]["scored"] == answers, found
        assert found["detractors"] == {"total": detractors, "followups": detractors, "suppressed": {}, "missing": 0}
        counted = await self.nps()
        assert (counted["n"], counted["counts"].get("detractor", 0)) == (answers, detractors)
        assert await self.followups() == detractors
        assert [feedback["lost"], found["balanced"]] == [0, True], found
        return found


def answers(*names: str) -> list[NewRecord]:
    """Detractors."""
    return [answer(name, 3) for name in names]


def promoters(names: Iterable[str]) -> list[NewRecord]:
    return [answer(name, 10) for name in names]
