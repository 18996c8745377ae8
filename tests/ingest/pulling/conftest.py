"""A puller on the log in memory, with a clock that tests hold."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.pulling.port import Poller
from services.ingest.pulling.puller import Puller
from services.ingest.pulling.turns import Turn
from services.ingest.settings import IngestSettings
from services.ingest.webhooks.access import known_keys
from services.ingest.webhooks.registry import Source, Sources
from shared.config import ConfigStore
from shared.events.catalogue import ACCEPTED_TYPES
from shared.events.envelope import Event, decode_event
from shared.events.raw import WebhookReceived
from shared.log.memory import MemoryLog
from shared.sealing import Sealing
from tests.ingest.pulling.servers import AllegroApi, BigCommerceApi, serving
from tests.ingest.running import HeldClock

INTERVAL = 60.0


class World:
    """One log and one clock; any number of processes with a configuration each."""

    def __init__(self) -> None:
        self.settings = IngestSettings()
        self.log = MemoryLog(self.settings.topics())
        self.clock = HeldClock()
        self.sealing = Sealing(b"a secret that only tests have")
        self._configs: list[ConfigStore] = []

    async def config(self) -> ConfigStore:
        config = ConfigStore(self.log, "petla.config")
        await config.start()
        self._configs.append(config)
        return config

    async def stop(self) -> None:
        for config in self._configs:
            await config.stop()

    async def puller(self, poller: Poller, config: ConfigStore, holder: str = "one") -> Puller:
        counters = Counters(CollectorRegistry())
        sources = Sources(config, self.sealing, ACCEPTED_TYPES, {}, known_keys(config))
        find: Callable[[str, datetime], Source | None] = sources.get
        return Puller(
            poller,
            Turn(poller.name, config, self.clock, holder),
            source=find,
            keeping=Keeping(self.log, self.settings.topic, self.clock, counters),
            counters=counters,
            clock=self.clock,
            random=lambda: 0.5,
            interval_seconds=INTERVAL,
        )

    def events(self, topic: str = "petla.activity") -> list[Event]:
        return [decode_event(record.value) for record in self.log.records(topic) if record.value]

    def made(self, kind: str) -> list[tuple[str, str | None, dict[str, Any]]]:
        """Id, time and data of the events of this type, by id."""
        found = [event for event in self.events() if event.type == kind]
        return sorted(
            ((event.id, event.time.isoformat(), msgspec.json.decode(event.data)) for event in found),
            key=lambda one: (one[0], one[1]),
        )

    def deliveries(self) -> list[WebhookReceived]:
        return [msgspec.json.decode(event.data, type=WebhookReceived) for event in self.events("petla.raw")]


async def until_quiet(world: World, puller: Puller, minutes: int) -> None:
    """Run as the loop does, each time that it is due."""
    until = world.clock.monotonic() + 60 * minutes
    while world.clock.monotonic() < until:
        await puller.run_once()
        world.clock.advance(max(1.0, puller._due_at - world.clock.monotonic()))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    await made.stop()


@pytest.fixture
def allegro() -> Iterator[AllegroApi]:
    api = AllegroApi()
    with serving(api):
        yield api


@pytest.fixture
def store() -> Iterator[BigCommerceApi]:
    api = BigCommerceApi()
    with serving(api):
        yield api
