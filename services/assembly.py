"""A service with its settings, before its database is there. A process imports only what runs in it."""

from collections.abc import Callable
from typing import NamedTuple

from shared.clock import SystemClock
from shared.config import ConfigStore
from shared.db import Database
from shared.log.port import Log
from shared.service import Service


class Assembled(NamedTuple):
    """`database` is the URL of the one it owns, None for the embedded server; `build` is given that database."""

    database: str | None
    build: Callable[[Database], Service]


def ingest(log: Log, config: ConfigStore) -> Service:
    """It owns no database."""
    from services.ingest.app import build
    from services.ingest.settings import IngestSettings
    from shared.sealing import sealing_of

    settings = IngestSettings()
    return build(settings, log, config, SystemClock(), sealing_of(settings))


def scoring(log: Log, config: ConfigStore) -> Assembled:
    from services.scoring.app import build
    from services.scoring.settings import ScoringSettings

    settings = ScoringSettings()
    return Assembled(settings.own_database, lambda db: build(settings, log, config, db, SystemClock()))


def alerts(log: Log, config: ConfigStore) -> Assembled:
    from services.alerts.app import build
    from services.alerts.settings import AlertsSettings

    settings = AlertsSettings()
    return Assembled(settings.own_database, lambda db: build(settings, log, config, db, SystemClock()))
