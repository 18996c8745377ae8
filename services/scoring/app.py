"""Wires scoring together; the only file that knows all of its parts."""

import asyncio
from pathlib import Path

from services.scoring.api import routes
from services.scoring.asking import Scores
from services.scoring.counters import Counters
from services.scoring.customers_api import routes as customer_routes
from services.scoring.handlers import Handlers, subscriptions
from services.scoring.pages.routes import routes as page_routes
from services.scoring.persons import Persons, sweep_nameless
from services.scoring.publishing import Publisher
from services.scoring.reconciliation import Consumed
from services.scoring.settings import ScoringSettings
from services.scoring.sources import Sources
from services.scoring.sources_api import routes as source_routes
from services.scoring.store import zone
from shared.clock import Clock
from shared.config import ConfigStore
from shared.consumer.lag import Lag
from shared.consumer.rejections import Rejections
from shared.consumer.telemetry import ConsumerTelemetry
from shared.consumer.worker import Worker
from shared.db import Database, is_transient
from shared.erasure.arrivals import Arrivals
from shared.erasure.eraser import Eraser
from shared.erasure.names import Names
from shared.erasure.requests import Requests
from shared.erasure.traces import Traces
from shared.events.catalogue import ACTIVITY_TOPIC, FEEDBACK_TOPIC, FOLLOWUPS_TOPIC, RAW_TOPIC, SCORES_TOPIC
from shared.log.port import Log, LogUnavailable
from shared.loops import Loop
from shared.observation import Observation
from shared.sealing import Sealing
from shared.telemetry import new_registry, new_tracing
from shared.web import create_app

MIGRATIONS = Path(__file__).parent / "migrations"
_IDLE_SECONDS = 0.005  # the consumer itself waits for records: what comes now must not wait for this, too
_LOOK_SECONDS = 1.0
_ERASURE_SECONDS = 1.0
_PERSONAL_TABLES = ("feedback", "activity", "dead_letter")


class ScoringService:
    name = "scoring"

    def __init__(
        self, settings: ScoringSettings, log: Log, config: ConfigStore, db: Database, clock: Clock, sealing: Sealing
    ) -> None:
        self._log = log
        self._config = config
        self._db = db
        self._zone = settings.zone
        topics = Consumed(
            feedback=settings.topic(FEEDBACK_TOPIC),
            activity=settings.topic(ACTIVITY_TOPIC),
            followups=settings.topic(FOLLOWUPS_TOPIC),
            by_alerts=(settings.topic(SCORES_TOPIC), settings.topic(ACTIVITY_TOPIC)),
            raw=settings.topic(RAW_TOPIC),
        )
        registry = new_registry(self.name)
        self._tracing = new_tracing(self.name, settings.otlp_endpoint)
        names = Names(sealing)
        erased = Arrivals(names, sweep_nameless)
        publisher = Publisher(settings.topic(SCORES_TOPIC))
        handlers = Handlers(settings.zone, publisher, Counters(registry), erased, names.content)
        telemetry = ConsumerTelemetry(clock, registry, self._tracing)
        rejections = Rejections(unlimited=settings.set_aside_all)
        subscribed = subscriptions(handlers)
        self.worker = Worker(log, db, topics.by_scoring, subscribed, clock, handlers.republish, telemetry, rejections)
        self._consumer = Loop("scoring.consumer", self.run_once, _IDLE_SECONDS)
        rewritten = [settings.topic(name) for name in (FEEDBACK_TOPIC, ACTIVITY_TOPIC, RAW_TOPIC)]
        traces = Traces(log, rewritten, erased, db, _PERSONAL_TABLES, owned=settings.own_database is None)
        self.eraser = Eraser(Requests(config, names), db, Persons(), traces, clock)
        self._erasure = Loop("scoring.erasure", self._erase_once, _ERASURE_SECONDS)
        self._migrated = False
        self.app = create_app(
            self.name,
            config=config,
            checks=self.checks,
            registry=registry,
            refresh=Observation([Lag(log, db, topics.by_scoring, registry)], clock, registry).refresh,
            is_away=self._is_away,
        )
        scores = Scores(db, log, clock, settings.zone, topics)
        self.app.include_router(routes(scores))
        self.app.include_router(customer_routes(scores))
        sources = Sources(db, config, clock, settings.zone)
        self.app.include_router(source_routes(sources))
        self.app.include_router(page_routes(scores, sources))

    async def start(self) -> None:
        """Hardly waits for the database: the loop brings it to the newest version as soon as it answers.

        DatabaseUnsuitable where it answers at once, and its rollups count another zone's days.
        """
        await self._refuse_other_zone()
        self._consumer.start()
        self._erasure.start()

    async def stop(self) -> None:
        await self._consumer.stop()
        await self._erasure.stop()
        await self.worker.stop()
        await self._db.close()
        await self._tracing.close()

    async def checks(self) -> dict[str, str]:
        return {
            "log": self._log.problem or "ok",
            "config": self._config.problem or "ok",
            "database": await self._db.problem() or ("ok" if self._migrated else "not at the newest version yet"),
            "consumer": self.worker.problem or self._consumer.problem or "ok",
            "erasure": self._erasure.problem or "ok",
        }

    async def run_once(self) -> int:
        if not self._migrated:
            await self._db.migrate(MIGRATIONS)
            async with self._db.transaction() as tx:
                await zone.agree(self._zone.key, tx)
            self._migrated = True
        return await self.worker.run_once()

    async def _refuse_other_zone(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS), self._db.snapshot() as tx:
                made_in = await zone.known(tx)
        except Exception:  # it is away, it is starting, it is not made yet: the loop looks again, and says what it is
            return
        zone.refuse_other(self._zone.key, made_in)

    async def _erase_once(self) -> int:
        return await self.eraser.run_once() if self._migrated else 0

    def _is_away(self, error: Exception) -> bool:
        return not self._migrated or isinstance(error, LogUnavailable) or is_transient(error)


def build(
    settings: ScoringSettings, log: Log, config: ConfigStore, db: Database, clock: Clock, sealing: Sealing
) -> ScoringService:
    return ScoringService(settings, log, config, db, clock, sealing)
