"""Ingest, wired. It has no loop and no state of its own: any number of processes may run."""

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from services.ingest.api import create_api
from services.ingest.counters import Counters
from services.ingest.door import Door
from services.ingest.limits import BytesAtOnce, RateLimit
from services.ingest.settings import IngestSettings
from shared.clock import Clock
from shared.config import ConfigStore
from shared.log.port import Log
from shared.service import Service


class Ingest:
    name = "ingest"

    def __init__(self, settings: IngestSettings, log: Log, config: ConfigStore, clock: Clock) -> None:
        self._log = log
        self._config = config
        registry = CollectorRegistry()
        self.app: ASGIApp = Door(
            create_api(config, self.checks, registry),
            log=log,
            topic=settings.topic,
            config=config,
            clock=clock,
            rate=RateLimit(settings.max_events_per_second, clock),
            at_once=BytesAtOnce(),
            counters=Counters(registry),
        )

    async def start(self) -> None:
        """Nothing to connect: the log and the configuration are the process's, which starts and stops them."""

    async def stop(self) -> None:
        """Nothing is held: whoever was answered is on the log."""

    async def checks(self) -> dict[str, str]:
        return {"log": self._log.problem or "ok", "config": self._config.problem or "ok"}


def build(settings: IngestSettings, log: Log, config: ConfigStore, clock: Clock) -> Service:
    """`config` must have been started before a request is answered."""
    return Ingest(settings, log, config, clock)
