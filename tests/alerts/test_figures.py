"""What alerts shows of itself: follow-ups opened, suppressed and open, what is owed to the log and to people."""

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry

from services.alerts.counters import Counters
from services.alerts.figures import ToDoFigures
from services.alerts.handlers import Handlers, subscriptions
from shared.consumer.worker import Worker
from shared.db import Database
from tests.alerts.world import SECRET, World, feedback_id, scored


class Watched(World):
    """Somebody outside is told, and a test reads the metrics."""

    def __init__(self, db: Database) -> None:
        self.registry = CollectorRegistry()
        super().__init__(db, ALERTS_WEBHOOK_URL="http://127.0.0.1:9/hook", ALERTS_WEBHOOK_SECRET=SECRET)
        self.figures = ToDoFigures(db, self.registry)

    def new_worker(self) -> Worker:
        handlers: Any = Handlers(self.settings, self.wake, Counters(self.registry))
        db: Any = self.db
        topics = [self.settings.topic("scores"), self.settings.topic("activity")]
        return Worker(self.log, db, topics, subscriptions(handlers), self.clock)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"petla_alerts_{name}", labels)

    async def looked(self, name: str, **labels: str) -> float | None:
        await self.figures.look()
        return self.value(name, **labels)

    def open(self) -> dict[str, float]:
        states = ("new", "assigned", "attempted", "reached")
        found = {state: self.value("followups_open", state=state) for state in states}
        return {state: count for state, count in found.items() if count is not None}


@pytest.fixture
async def world(db: Database) -> AsyncIterator[Watched]:
    made = Watched(db)
    yield made
    await made.worker.stop()


async def test_each_detractor_counts_as_opened_or_suppressed(world: Watched) -> None:
    await world.told(scored("a", submission_id="s"), scored("b", submission_id="s"), scored("c"), scored("d", score=9))
    await world.told(scored("a", submission_id="s"))  # again
    assert world.value("followups_opened_total") == 2
    assert world.value("followups_suppressed_total", reason="same_submission") == 1
    assert world.value("followups_suppressed_total", reason="too_old") == 0


async def test_a_follow_up_that_opens_is_a_line_with_its_ids(world: Watched) -> None:
    with structlog.testing.capture_logs() as logged:
        await world.told(scored("a", customer="Anna Nowak"), scored("b", score=9))
    (line,) = [entry for entry in logged if entry["event"] == "followup_opened"]
    followup = await world.followup("a")
    assert (line["followup"], line["fact"]) == (str(followup["id"]), str(feedback_id("a")))
    assert "Anna" not in str(logged)


async def test_open_follow_ups_are_shown_by_state(world: Watched) -> None:
    await world.told(*(scored(name) for name in "abcdef"))
    for name, state in (("b", "assigned"), ("c", "reached"), ("d", "resolved"), ("e", "withdrawn")):
        await world.execute(
            "UPDATE followup SET state = :state WHERE feedback = :id", state=state, id=feedback_id(name)
        )
    await world.figures.look()
    assert world.open() == {"new": 2, "assigned": 1, "attempted": 0, "reached": 1}


async def test_the_oldest_notification_that_is_due_tells_its_age(world: Watched) -> None:
    assert await world.looked("notification_oldest_due_seconds") == 0
    await world.told(scored("a"), scored("b"), scored("c"))
    for name, seconds in (("a", 90), ("b", 30), ("c", -60)):
        await world.execute(
            "UPDATE notification SET next_at = clock_timestamp() - make_interval(secs => :seconds)"
            " WHERE followup_id = (SELECT id FROM followup WHERE feedback = :id)",
            seconds=seconds,
            id=feedback_id(name),
        )
    assert await world.looked("notification_oldest_due_seconds") == pytest.approx(90, abs=20)
    await world.execute("UPDATE notification SET state = 'delivered' WHERE next_at < clock_timestamp()")
    assert await world.looked("notification_oldest_due_seconds") == 0


async def test_what_the_log_does_not_have_yet_is_the_backlog(world: Watched) -> None:
    await world.told(scored("a", submission_id="s"), scored("b", submission_id="s"))
    assert await world.looked("relay_backlog_events") == 2
    await world.relay.run_once()
    assert await world.looked("relay_backlog_events") == 0


async def test_figures_that_cannot_be_read_are_not_shown(world: Watched) -> None:
    await world.told(scored("a"))
    await world.figures.look()
    world.figures.forget()
    assert world.open() == {}
    assert math.isnan(world.value("relay_backlog_events") or 0.0)
    assert math.isnan(world.value("notification_oldest_due_seconds") or 0.0)


async def test_the_trace_of_an_answer_goes_on_to_its_event_and_whoever_is_told(world: Watched) -> None:
    cause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await world.told(scored("a") | {"traceparent": cause}, scored("b"))
    await world.relay.run_once()
    assert {event["data"]["feedback"]: event.get("traceparent") for event in world.published()} == {
        str(feedback_id("a")): cause,
        str(feedback_id("b")): None,
    }
