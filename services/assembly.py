"""Services with their settings, before anything is opened. A process imports only what runs in it."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from shared.clock import SystemClock
from shared.config import ConfigStore
from shared.db import Database
from shared.log.port import Log
from shared.service import Service


class Owner(NamedTuple):
    """`database` is the URL of the one it owns, None for the embedded server; `build` is given that database."""

    database: str | None
    build: Callable[[Log, ConfigStore, Database], Service]


class Parts(NamedTuple):
    """What a process is made of. Ingest owns no database."""

    ingest: Callable[[Log, ConfigStore], Service] | None
    owners: Mapping[str, Owner]


def read(names: Iterable[str]) -> Parts:
    """ValidationError for a setting of any of them that is wrong: it costs no log and no database."""
    wanted = set(names)
    owners = {name: _OWNERS[name]() for name in _OWNERS if name in wanted}
    return Parts(_ingest() if "ingest" in wanted else None, owners)


def _ingest() -> Callable[[Log, ConfigStore], Service]:
    from services.ingest.app import build
    from services.ingest.settings import IngestSettings
    from shared.sealing import sealing_of

    settings = IngestSettings()
    return lambda log, config: build(settings, log, config, SystemClock(), sealing_of(settings), os.environ)


def _scoring() -> Owner:
    from services.scoring.app import build
    from services.scoring.settings import ScoringSettings
    from shared.sealing import sealing_of

    settings = ScoringSettings()
    return Owner(
        settings.own_database,
        lambda log, config, db: build(settings, log, config, db, SystemClock(), sealing_of(settings)),
    )


def _alerts() -> Owner:
    from services.alerts.app import build
    from services.alerts.settings import AlertsSettings
    from shared.sealing import sealing_of

    settings = AlertsSettings()
    return Owner(
        settings.own_database,
        lambda log, config, db: build(settings, log, config, db, SystemClock(), sealing_of(settings)),
    )


_OWNERS = {"scoring": _scoring, "alerts": _alerts}
