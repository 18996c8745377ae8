"""The service whole: its loops, its readiness, and a start before its database answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from standardwebhooks import Webhook

from shared.db import Database
from tests.alerts.receiver import receiving
from tests.alerts.running import RunningAlerts
from tests.alerts.world import SECRET, scored
from tests.conftest import MakeDatabase


@asynccontextmanager
async def started(db: Database, **changed: str) -> AsyncIterator[RunningAlerts]:
    running = RunningAlerts(db, **changed)
    await running.start()
    await running.service.start()
    try:
        yield running
    finally:
        await running.service.stop()
        await running.stop()


async def published(running: RunningAlerts, type_: str) -> None:
    """Waits until an event of the type is on the log."""
    async with asyncio.timeout(20):
        while type_ not in [event["type"] for event in running.published()]:
            await running.log.wait_for_write(running.log.appends, 1)


async def test_from_a_score_to_the_log_and_a_webhook(database: MakeDatabase) -> None:
    """On an empty database, which it migrates by itself."""
    async with (
        receiving() as receiver,
        started(await database(None), ALERTS_WEBHOOK_URL=receiver.url, ALERTS_WEBHOOK_SECRET=SECRET) as running,
    ):
        await running.tell(scored("low"), scored("high", score=10))
        await asyncio.wait_for(receiver.arrived.wait(), 20)
        await published(running, "alerts.position.v1")

        event = Webhook(SECRET).verify(receiver.received[0].body, receiver.received[0].headers)
        assert event in running.published()
        assert await running.service.checks() == dict.fromkeys(
            ("log", "database", "config", "consumer", "relay", "overdue", "erasure", "refusals", "notifier"), "ok"
        )
        assert (await running.get("/readyz", None)).json()["ready"] is True
        assert "petla_notification_attempts_total" in (await running.get("/metrics", None)).text


async def test_without_its_database_it_starts_says_so_and_refuses() -> None:
    async with started(Database("postgresql://petla@/alerts?host=/nowhere")) as running:
        checks = await running.service.checks()
        assert checks["database"].startswith("the database does not answer")
        answer = await running.get("/v1/followups")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] == "unavailable"


async def test_it_is_not_ready_before_its_tables_are_there(database: MakeDatabase) -> None:
    running = RunningAlerts(await database(None))
    await running.start()
    assert (await running.service.checks())["database"] == "not at the newest version yet"
    assert (await running.get("/readyz", None)).status_code == 503
    await running.stop()


async def test_everything_asks_for_a_key_but_health_and_docs(alerts: RunningAlerts) -> None:
    document = (await alerts.get("/openapi.json", None)).json()
    assert set(document["paths"]) >= {"/v1/followups", "/v1/followups/{id}", "/v1/rules", "/v1/notifications"}
    for path, methods in document["paths"].items():
        for method in methods:
            assert (await alerts.request(method.upper(), path, None, json={})).status_code == 401
