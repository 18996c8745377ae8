"""Ingest, wired. It keeps no state of its own: any number may run. Its loops ask the senders that never call."""

from collections.abc import Mapping
from random import random
from types import MappingProxyType
from typing import NamedTuple
from uuid import uuid4

from starlette.types import ASGIApp

from services.ingest.api import create_api
from services.ingest.counters import Counters, Spilled
from services.ingest.door import Door
from services.ingest.keeping import Keeping
from services.ingest.limits import BytesAtOnce, FewAtOnce, RateLimit
from services.ingest.pulling.running import Pulling
from services.ingest.pulling.senders import Senders
from services.ingest.settings import IngestSettings
from services.ingest.surveys import routes as surveys
from services.ingest.surveys.answering import Answering
from services.ingest.surveys.links import Links
from services.ingest.surveys.rendering import Brand
from services.ingest.uploads import routes as uploads
from services.ingest.uploads.children import Children
from services.ingest.uploads.choosing import Documents
from services.ingest.uploads.desk import Desk
from services.ingest.uploads.folder import Uploads
from services.ingest.webhooks import routes as webhooks
from services.ingest.webhooks import trials
from services.ingest.webhooks.access import known_keys
from services.ingest.webhooks.administration import Administration
from services.ingest.webhooks.receiving import Receiving
from services.ingest.webhooks.registry import Sources
from shared.clock import Clock
from shared.config import ConfigStore
from shared.erasure.names import Names
from shared.erasure.requests import Requests
from shared.events.catalogue import ACCEPTED_TYPES, RAW_TOPIC
from shared.log.port import Log
from shared.loops import Loop
from shared.no_survey import SurveyRefusals
from shared.sealing import Sealing
from shared.service import Service
from shared.telemetry import new_registry, new_tracing
from shared.tracing import Tracing

_STRANGERS_AT_ONCE, _SECONDS_A_STRANGER = 20, 1.0  # deliveries that are not the sender's, recorded for each source
_SWEEP_SECONDS = 30.0
_ANSWERS_AT_ONCE, _SECONDS_AN_ANSWER = 20, 10.0  # of one survey's link; a person changes an answer a few times


class _Parts(NamedTuple):
    """What every way in shares."""

    keeping: Keeping
    sealing: Sealing
    clock: Clock
    rate: RateLimit
    at_once: BytesAtOnce
    counters: Counters
    tracing: Tracing


class IngestService:
    name = "ingest"

    def __init__(
        self,
        settings: IngestSettings,
        log: Log,
        config: ConfigStore,
        clock: Clock,
        sealing: Sealing,
        environment: Mapping[str, str],
    ) -> None:
        self._log = log
        self._config = config
        registry = new_registry(self.name)
        spilled = Spilled(log)
        registry.register(spilled)
        self._tracing = new_tracing(self.name, settings.otlp_endpoint)
        counters = Counters(registry)
        keeping = Keeping(log, settings.topic, clock, counters)
        rate = RateLimit(settings.max_events_per_second, clock)
        parts = _Parts(keeping, sealing, clock, rate, BytesAtOnce(), counters, self._tracing)
        sources = Sources(config, sealing, ACCEPTED_TYPES, environment, known_keys(config), settings.sources)
        api = create_api(config, self.checks, registry, spilled.count, uploads.LARGER_BODIES)
        api.include_router(surveys.pages(_answering(parts, settings), _brand(settings), self._tracing))
        api.include_router(surveys.api(_links(parts, settings, SurveyRefusals(config, sealing))))
        administration = Administration(config, sources, sealing)
        api.include_router(webhooks.routes(administration, sources, clock, settings.public_url))
        requests = Requests(config, Names(sealing))
        api.include_router(trials.routes(sources, log, settings.topic(RAW_TOPIC), clock, requests))
        self._children = Children()
        desk = Desk(Uploads(settings.data / "uploads"), Documents(sources), self._children, clock, requests)
        self._sweeping = Loop("ingest.uploads", desk.sweep_once, _SWEEP_SECONDS)
        api.include_router(uploads.routes(desk, settings.zone))
        senders = Senders(environment, config, log, settings.topic(RAW_TOPIC), sealing, clock)
        self._pulling = _pulling(parts, senders, sources, config)
        self.app: ASGIApp = Door(
            _receiving(parts, api, sources, settings),
            keeping=keeping,
            config=config,
            clock=clock,
            rate=rate,
            at_once=parts.at_once,
            counters=counters,
            tracing=self._tracing,
        )

    async def start(self) -> None:
        """The log and the configuration are the process's, which starts and stops them."""
        self._pulling.start()
        self._sweeping.start()

    async def stop(self) -> None:
        """Whoever was answered is on the log; another process may pull at once."""
        await self._pulling.stop()
        await self._sweeping.stop()
        await self._children.stop()
        await self._tracing.close()

    async def checks(self) -> dict[str, str]:
        """What was known of the configuration is enough to go on."""
        unknown = None if self._config.is_usable else self._config.problem or "not known yet"
        return {"log": self._log.problem or "ok", "config": unknown or "ok"}


def _answering(parts: _Parts, settings: IngestSettings) -> Answering:
    return Answering(
        keeping=parts.keeping,
        sealing=parts.sealing,
        clock=parts.clock,
        zone=settings.zone,
        brand=settings.brand_name,
        often=FewAtOnce(_ANSWERS_AT_ONCE, _SECONDS_AN_ANSWER, parts.clock),
        at_once=parts.at_once,
        counters=parts.counters,
    )


def _brand(settings: IngestSettings) -> Brand:
    return Brand(settings.brand_name, settings.brand_colour, settings.brand_logo, settings.privacy_url)


def _links(parts: _Parts, settings: IngestSettings, refusals: SurveyRefusals) -> Links:
    return Links(
        keeping=parts.keeping,
        sealing=parts.sealing,
        clock=parts.clock,
        rate=parts.rate,
        refusals=refusals,
        public_url=settings.public_url,
    )


def _receiving(parts: _Parts, rest: ASGIApp, sources: Sources, settings: IngestSettings) -> Receiving:
    return Receiving(
        rest,
        sources=sources,
        keeping=parts.keeping,
        clock=parts.clock,
        rate=parts.rate,
        often=FewAtOnce(_STRANGERS_AT_ONCE, _SECONDS_A_STRANGER, parts.clock),
        at_once=parts.at_once,
        counters=parts.counters,
        tracing=parts.tracing,
        public_url=settings.public_url,
    )


def _pulling(parts: _Parts, senders: Senders, sources: Sources, config: ConfigStore) -> Pulling:
    return Pulling(
        senders,
        source=sources.get,
        keeping=parts.keeping,
        counters=parts.counters,
        config=config,
        clock=parts.clock,
        random=random,
        holder=uuid4().hex,
    )


def build(
    settings: IngestSettings,
    log: Log,
    config: ConfigStore,
    clock: Clock,
    sealing: Sealing,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Service:
    """`config` must have been started before a request is answered; `environment` has the secrets of sources.

    Raises `MappingError` for a document in the folder of sources, ValueError for credentials that are half there.
    """
    return IngestService(settings, log, config, clock, sealing, environment)
