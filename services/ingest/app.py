"""Ingest, wired. It has no loop and no state of its own: any number of processes may run."""

from starlette.types import ASGIApp

from services.ingest.api import create_api
from services.ingest.counters import Counters, Spilled
from services.ingest.door import Door
from services.ingest.keeping import Keeping
from services.ingest.limits import BytesAtOnce, RateLimit
from services.ingest.settings import IngestSettings
from shared.clock import Clock
from shared.config import ConfigStore
from shared.log.port import Log
from shared.sealing import Sealing
from shared.service import Service
from shared.telemetry import new_registry, new_tracing


class Ingest:
    name = "ingest"

    def __init__(self, settings: IngestSettings, log: Log, config: ConfigStore, clock: Clock, sealing: Sealing) -> None:
        self._log = log
        self._config = config
        registry = new_registry(self.name)
        spilled = Spilled(log)
        registry.register(spilled)
        self._tracing = new_tracing(self.name, settings.otlp_endpoint)
        counters = Counters(registry)
        self.app: ASGIApp = Door(
            create_api(config, self.checks, registry, spilled.count),
            keeping=Keeping(log, settings.topic, clock, counters),
            config=config,
            clock=clock,
            rate=RateLimit(settings.max_events_per_second, clock),
            at_once=BytesAtOnce(),
            counters=counters,
            tracing=self._tracing,
        )

    async def start(self) -> None:
        """Nothing to connect: the log and the configuration are the process's, which starts and stops them."""

    async def stop(self) -> None:
        """Nothing else is held: whoever was answered is on the log."""
        await self._tracing.close()

    async def checks(self) -> dict[str, str]:
        """What was known of the configuration is enough to go on."""
        unknown = None if self._config.is_usable else self._config.problem or "not known yet"
        return {"log": self._log.problem or "ok", "config": unknown or "ok"}


def build(settings: IngestSettings, log: Log, config: ConfigStore, clock: Clock, sealing: Sealing) -> Service:
    """`config` must have been started before a request is answered."""
    return Ingest(settings, log, config, clock, sealing)
