"""Whatever the OpenAPI documents allow or forbid is answered as they say, never with a 500."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.scoring.app import build as build_scoring
from services.scoring.metrics.registry import METRICS
from services.scoring.settings import ScoringSettings
from shared.access import create_key
from shared.config import ConfigStore
from shared.events.envelope import fact_id
from shared.log.memory import MemoryLog
from shared.service import Service
from tests.alerts.running import RunningAlerts
from tests.alerts.world import feedback_id, scored
from tests.builders import fact_of
from tests.conftest import MakeDatabase
from tests.contracts.generated import BOUNDED, Sender, operations
from tests.contracts.test_openapi import document
from tests.ingest.webhooks.doors import REPAIRS, SECRET, Doors
from tests.scoring.asked import RECORDS
from tests.scoring.world import HeldClock
from tests.sealing import SEALING

SHORTEST = "0"  # what stands in for a name where another field is tried
SOURCES = ["repairs", "shopify", "generic", "new"]

INGEST = operations(
    asyncio.run(document("ingest")),
    20,
    {"path.name": SOURCES, "path.source": SOURCES},
    sampled={"POST /v1/events": 60},
)
SCORING = operations(
    asyncio.run(document("scoring")),
    20,
    {
        "path.metric": list(METRICS),
        "path.id": [fact_of("d1"), fact_of("nobody")],
        "path.customer": ["c-1"],
        "query.from": ["2026-11-01", "2026-11-02T10:00:00+01:00", "0001-01-01", "9999-12-31"],
        "query.to": ["2026-12-01", "2026-11-03T10:00:00Z", "9999-12-31T23:59:59-14:00"],
        "query.tz": ["Europe/Warsaw", "UTC", "Pacific/Apia", "../etc/passwd"],
        "query.granularity": ["day", "week", "month"],
        "query.group_by": ["channel", "channel,campaign", "channel,channel"],
        "query.compare_to": ["previous", "2026-10-01..2026-11-01", "2026-11-01..", ".."],
    },
)
OPENED = fact_id("followup", "detractor@1", str(feedback_id("f")))
ALERTS = operations(asyncio.run(document("alerts")), 10, {"path.id": [str(OPENED)], "path.customer": ["c-1"]})


async def sender(service: Service, config: ConfigStore, other: str) -> Sender:
    """`other` is a scope that nothing here asks for."""
    key, powerless = [(await create_key(config, "desk", [scope])).key for scope in ("admin", other)]
    return Sender(service.app, key, powerless, asyncio.get_running_loop())


@pytest.fixture(scope="module")
async def ingest(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sender]:
    folder: Path = tmp_path_factory.mktemp("sources")
    for name in ("repairs", SHORTEST):
        (folder / f"{name}.yaml").write_text(REPAIRS.replace("source: repairs", f'source: "{name}"'))
    running = Doors({"PETLA_SOURCE_REPAIRS_SECRET": SECRET, "PETLA_SOURCE_0_SECRET": SECRET}, folder)
    await running.start()
    yield await sender(running.service, running.config, "metrics:read")
    await running.stop()


@pytest.fixture(scope="module")
async def scoring(database: MakeDatabase) -> AsyncIterator[Sender]:
    settings = ScoringSettings(partitions=2, timezone="Europe/Warsaw")
    log = MemoryLog(settings.topics())
    config = ConfigStore(log, "petla.config")
    await config.start()
    service = build_scoring(settings, log, config, await database("scoring"), HeldClock(), SEALING)
    await log.append(RECORDS)
    while await service.run_once():
        pass
    yield await sender(service, config, "events:write")
    await service.stop()
    await config.stop()


@pytest.fixture(scope="module")
async def alerts(database: MakeDatabase) -> AsyncIterator[Sender]:
    running = RunningAlerts(await database("alerts"))
    await running.start()
    await running.told(scored("f"), scored("g"))
    yield await sender(running.service, running.config, "events:write")
    await running.stop()


@INGEST.parametrize()
@BOUNDED
def test_ingest(case: Any, ingest: Sender) -> None:
    ingest.assert_conforms(case)


@SCORING.parametrize()
@BOUNDED
def test_scoring(case: Any, scoring: Sender) -> None:
    scoring.assert_conforms(case)


@ALERTS.parametrize()
@BOUNDED
def test_alerts(case: Any, alerts: Sender) -> None:
    alerts.assert_conforms(case)


@pytest.mark.parametrize(("service", "described"), [("ingest", INGEST), ("scoring", SCORING), ("alerts", ALERTS)])
def test_every_operation_asks_for_a_key_that_may(service: str, described: Any, request: pytest.FixtureRequest) -> None:
    sender = request.getfixturevalue(service)
    for found in described.get_all_operations():
        operation = found.ok()
        open_to_all = operation.definition.raw["security"] == [{}]
        refused = sender.refusals(operation.method.upper(), operation.path)
        assert (refused == [401, 401, 403]) is not open_to_all, operation.label
