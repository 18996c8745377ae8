"""The service `alerts`, wired: nothing else of it knows how the parts come together."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import SystemRandom

from starlette.types import ASGIApp

from services.alerts import api, customers_api
from services.alerts.channels.webhook import WebhookChannel
from services.alerts.commands import Desk
from services.alerts.counters import Counters
from services.alerts.erase_requests import EraseRequests
from services.alerts.figures import ToDoFigures
from services.alerts.handlers import Handlers, subscriptions
from services.alerts.notifier import Notifier
from services.alerts.overdue import OverdueWatch
from services.alerts.persons import Persons, sweep_nameless
from services.alerts.refusals import Telling
from services.alerts.relay import Relay
from services.alerts.settings import AlertsSettings
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
from shared.erasure.receipts import Receipts
from shared.erasure.requests import Requests
from shared.erasure.traces import Traces
from shared.events.catalogue import ACTIVITY_TOPIC, FOLLOWUPS_TOPIC, SCORES_TOPIC
from shared.log.port import Log, LogUnavailable
from shared.loops import Loop
from shared.no_survey import SurveyRefusals
from shared.observation import Figures, Observation
from shared.sealing import Sealing
from shared.service import Service
from shared.telemetry import new_registry, new_tracing
from shared.web import create_app

MIGRATIONS = Path(__file__).parent / "migrations"

_CONSUMER_IDLE_SECONDS = 0.005  # the consumer itself waits for records: what comes now must not wait for this, too
_IDLE_SECONDS = 0.5
_REST_SECONDS = 0.05  # every batch wakes relay and notifier: at hundreds a second that would be as dear as the batches
_PERSONAL_TABLES = ("activity", "seen_feedback", "followup", "followup_event", "dead_letter", "erase_request")
_STOP_SECONDS = 3.0


def build(
    settings: AlertsSettings, log: Log, config: ConfigStore, db: Database, clock: Clock, sealing: Sealing
) -> Service:
    """`db` is closed by `stop`; `log` and `config` stay the caller's."""
    return AlertsService(settings, log, config, db, clock, sealing)


class AlertsService:
    name = "alerts"
    app: ASGIApp

    def __init__(
        self, settings: AlertsSettings, log: Log, config: ConfigStore, db: Database, clock: Clock, sealing: Sealing
    ) -> None:
        self._log, self._config, self._db = log, config, db
        registry = new_registry(self.name)
        self._tracing = new_tracing(self.name, settings.otlp_endpoint)
        topics = [settings.topic(SCORES_TOPIC), settings.topic(ACTIVITY_TOPIC)]
        requests = Requests(config, Names(sealing))
        erased = Arrivals(requests.names, sweep_nameless)
        refusals = SurveyRefusals(config, sealing)
        handlers = Handlers(settings, self._wake, Counters(registry), self._tracing, erased, refusals)
        telemetry = ConsumerTelemetry(clock, registry, self._tracing)
        rejections = Rejections(unlimited=settings.set_aside_all)
        self._worker = Worker(log, db, topics, subscriptions(handlers), clock, None, telemetry, rejections)
        self._channel = _channel(settings, clock)
        self._loops = {
            "consumer": Loop("alerts.consumer", self._once_migrated(self._worker.run_once), _CONSUMER_IDLE_SECONDS)
        }
        self._add_loop("relay", Relay(log, db, settings.topic(FOLLOWUPS_TOPIC), clock).catch_up)
        self._add_loop("overdue", OverdueWatch(db, settings.notifies, self._wake).run_once)
        self.erase_requests = EraseRequests(db, requests)
        self.eraser = self._new_eraser(settings, requests, erased, clock)
        self._add_loop("erasure", self._erase_once)
        self.telling = Telling(db, refusals)
        self._add_loop("refusals", self.telling.run_once)
        if self._channel:
            notifier = Notifier(db, self._channel, clock, SystemRandom().random, registry, self._tracing)
            self._add_loop("notifier", notifier.run_once)
        self._migrating = asyncio.Lock()
        self._migrated = False
        figures: list[Figures] = [Lag(log, db, topics, registry), ToDoFigures(db, registry)]
        app = create_app(
            self.name,
            config=config,
            checks=self.checks,
            registry=registry,
            refresh=Observation(figures, clock, registry).refresh,
            is_away=self._is_away,
        )
        app.include_router(api.routes(db, Desk(db, settings, self._wake), self._wake))
        receipts = Receipts(requests, sealing, on_kafka=settings.kafka is not None)
        app.include_router(customers_api.routes(db, requests, receipts, clock))
        self.app = app

    async def start(self) -> None:
        """Never waits for the database: the loops bring it to the newest version as soon as it answers."""
        for loop in self._loops.values():
            loop.start()

    async def stop(self) -> None:
        """What does not end in time is cut off; its lease runs out and it is done again."""
        await asyncio.gather(*(_ended(loop) for loop in self._loops.values()))
        await self._worker.stop()
        if self._channel:
            await self._channel.close()
        await self._db.close()
        await self._tracing.close()

    async def checks(self) -> dict[str, str]:
        problems = {
            "log": self._log.problem,
            "database": await self._db.problem() or (None if self._migrated else "not at the newest version yet"),
            "config": self._config.problem,
            **{name: loop.problem for name, loop in self._loops.items()},
        }
        problems["consumer"] = problems["consumer"] or self._worker.problem
        return {name: problem or "ok" for name, problem in problems.items()}

    async def _erase_once(self) -> int:
        return await self.erase_requests.run_once() + await self.eraser.run_once()

    def _new_eraser(self, settings: AlertsSettings, requests: Requests, erased: Arrivals, clock: Clock) -> Eraser:
        rewritten = [settings.topic(name) for name in (SCORES_TOPIC, FOLLOWUPS_TOPIC)]
        owned = settings.own_database is None
        traces = Traces(self._log, rewritten, erased, self._db, _PERSONAL_TABLES, owned=owned)
        return Eraser(requests, self._db, Persons(), traces, clock)

    def _add_loop(self, name: str, run_once: Callable[[], Awaitable[int]]) -> None:
        self._loops[name] = Loop(f"alerts.{name}", self._once_migrated(run_once), _IDLE_SECONDS, _REST_SECONDS)

    def _once_migrated(self, run_once: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
        async def run() -> int:
            async with self._migrating:
                if not self._migrated:
                    await self._db.migrate(MIGRATIONS)
                    self._migrated = True
            return await run_once()

        return run

    def _is_away(self, error: Exception) -> bool:
        return not self._migrated or isinstance(error, LogUnavailable) or is_transient(error)

    def _wake(self) -> None:
        for name in ("relay", "notifier"):
            if loop := self._loops.get(name):
                loop.wake()


def _channel(settings: AlertsSettings, clock: Clock) -> WebhookChannel | None:
    if settings.webhook_url is None or settings.webhook_secret is None:
        return None
    return WebhookChannel(settings.webhook_url, settings.webhook_secret.get_secret_value(), clock)


async def _ended(loop: Loop) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(loop.stop(), _STOP_SECONDS)
