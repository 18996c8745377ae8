"""A customer is erased from what alerts keeps: contact, texts, timeline and what is sent; states and counts stay."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.erase_requests import EraseRequests
from services.alerts.handlers import Handlers, subscriptions
from services.alerts.persons import Persons, StepsOnTheirWay, sweep_nameless
from shared.config import ConfigStore
from shared.consumer.worker import Worker
from shared.db import Database
from shared.erasure.arrivals import Arrivals
from shared.erasure.eraser import Eraser
from shared.erasure.names import Names
from shared.erasure.requests import Report, Requests
from shared.erasure.traces import Traces
from shared.events.rights import ERASE_REQUESTED
from tests.alerts.world import World, activity, feedback_id, scored
from tests.columns import holding
from tests.sealing import SEALING

ERASED_AT = datetime(2190, 1, 1, tzinfo=UTC)  # later than the database's clock, which opens follow-ups
AFTER = ERASED_AT + timedelta(hours=1)
NAME, PHONE, EMAIL = "Bożydar Kłębkowski", "+48 601 234 987", "bozydar@przyklad.example"
TEXT = "Kurier rzucił paczką w kałużę"
CUSTOMER = EMAIL
MARKS = ("Bożydar", "Kłębkowski", "234 987", "bozydar@", "kałuż", "Bożydara", "o-9")

STORY = [
    activity("customer.updated.v1", "cu", customer=CUSTOMER, name=NAME, phone=PHONE, email=EMAIL),
    activity("order.placed.v1", "op", order_id="o-9", customer=CUSTOMER),
    activity("contact.opened.v1", "co", contact_id="k-1", order_id="o-9", topic=f"Od {NAME}"),
]
ANSWERS = [
    scored("named", score=1, customer=CUSTOMER, text=TEXT, order_id="o-9", submission_id="s-1"),
    scored("by-order", score=2, customer=None, text=TEXT, order_id="o-9"),
    scored("same", score=2, customer=None, text=TEXT, submission_id="s-1"),
    scored("else", score=3, customer="c-2", text="Zimno"),
]


class Erasing(World):
    def __init__(self, db: Database) -> None:
        self.names = Names(SEALING)
        self.arrivals = Arrivals(self.names, sweep_nameless)
        super().__init__(db, max_feedback_age_days=0)
        self.config = ConfigStore(self.log, "petla.config")
        self.requests = Requests(self.config, self.names)
        topics = ("petla.scores", "petla.followups")
        traces = Traces(self.log, topics, self.arrivals, db, (), owned=True)
        self.eraser = Eraser(self.requests, db, Persons(), traces, self.clock)

    def new_worker(self) -> Worker:
        topics = [self.settings.topic("scores"), self.settings.topic("activity")]
        handlers = Handlers(self.settings, self.wake, erased=self.arrivals)
        return Worker(self.log, self.db, topics, subscriptions(handlers), self.clock)  # type: ignore[arg-type]

    async def erase(self, at: datetime = ERASED_AT) -> None:
        await self.requests.ask(CUSTOMER, at)
        await self.eraser.run_once()

    def report(self) -> Report:
        (request,) = self.requests.all()
        found = self.requests.reported(request, "alerts")
        assert found
        return found

    async def traces(self) -> list[str]:
        found = await holding(self.db, MARKS)  # type: ignore[arg-type]
        for topic in ("petla.scores", "petla.followups"):
            found += [
                topic for record in self.log.records(topic) for mark in MARKS if mark in (record.value or b"").decode()
            ]
        return found


@pytest.fixture
async def world(db: Database) -> AsyncIterator[Erasing]:
    made = Erasing(db)
    await made.execute("DELETE FROM erased")
    await made.config.start()
    yield made
    await made.config.stop()
    await made.worker.stop()


async def act(world: Erasing) -> None:
    """People wrote down what they heard."""
    from services.alerts.commands import Command, Desk

    desk = Desk(world.db, world.settings, world.wake)  # type: ignore[arg-type]
    id_ = (await world.followup("named"))["id"]
    await desk.act(id_, Command("comment", 1, "anna", {"note": f"dzwonić do Bożydara, {PHONE}"}))


async def told_everything(world: Erasing) -> None:
    await world.told(*STORY)
    for answer in ANSWERS:
        await world.told(answer)
    await act(world)
    await world.relay.run_once()


async def test_nobody_is_found_and_every_state_stays(world: Erasing) -> None:
    await told_everything(world)
    states, suppressions = await world.states(), await world.suppressions()
    assert await world.traces()
    await world.erase()
    await world.relay.run_once()
    assert await world.traces() == []
    assert await world.states() == states
    assert await world.suppressions() == suppressions
    assert (await world.followup("else"))["text"] == "Zimno"
    assert world.report().rows == 11


async def test_whoever_works_on_it_reads_that_nobody_is_left(world: Erasing) -> None:
    await told_everything(world)
    await world.erase()
    await world.relay.run_once()
    assert await world.kinds("named") == ["opened", "commented", "commented"]
    notes = [event["data"].get("note") for event in world.published() if event["type"] == "followup.commented.v1"]
    assert [note for note in notes if note] == ["the customer was erased: nobody is left to contact"] * 2


async def test_a_replay_brings_nothing_back_and_opens_nothing(world: Erasing) -> None:
    await told_everything(world)
    await world.erase()
    versions = await world.rows("SELECT id, version FROM followup ORDER BY id")
    await world.told(*STORY, *ANSWERS)
    assert await holding(world.db, MARKS) == []  # type: ignore[arg-type]
    assert await world.rows("SELECT id, version FROM followup ORDER BY id") == versions
    assert await world.rows("SELECT count(*) AS n FROM dead_letter") == [{"n": 0}]


async def test_a_late_detractor_opens_nothing_as_nobody_could_be_called(world: Erasing) -> None:
    await world.told(*STORY)
    await world.erase()
    await world.told(*ANSWERS)
    assert set(await world.states()) == {feedback_id("else")}
    assert await world.suppressions() == {
        (feedback_id(name), 0, "no_contact_consent") for name in ("named", "by-order", "same")
    }
    assert await holding(world.db, MARKS[:-1]) == []  # type: ignore[arg-type]


async def test_what_scoring_made_of_an_erased_customer_opens_nothing(world: Erasing) -> None:
    await world.told(scored("pseudonym", score=1, customer="erased"))
    assert await world.suppressions() == {(feedback_id("pseudonym"), 0, "no_contact_consent")}


async def test_a_customer_who_comes_back_is_called_back(world: Erasing) -> None:
    await told_everything(world)
    await world.erase()
    when = AFTER.isoformat()
    update = activity("customer.updated.v1", "cu2", time=AFTER, customer=CUSTOMER, name=NAME) | {"receivedat": when}
    await world.told(update, scored("again", score=1, customer=CUSTOMER, text=TEXT, time=when, received_at=when))
    assert (await world.followup("again"))["customer"] == CUSTOMER


async def test_the_body_of_what_is_still_to_be_sent_names_nobody(world: Erasing) -> None:
    world.settings = world.settings.model_copy(update={"webhook_url": "http://127.0.0.1:9/"})
    await world.worker.stop()
    world.worker = world.new_worker()
    await told_everything(world)
    await world.erase()
    bodies = await world.rows("""
        SELECT e.value FROM notification n JOIN followup_event e USING (followup_id, version) ORDER BY n.id""")
    assert len(bodies) == 3
    assert {json.loads(row["value"])["data"].get("customer") for row in bodies} == {None, "c-2"}


@pytest.mark.parametrize("known", [True, False])
async def test_from_the_hash_alone(world: Erasing, known: bool) -> None:
    """A database that was restored: the request holds no name any more."""
    request = await world.requests.ask(CUSTOMER, ERASED_AT)
    await world.requests.forget_name(request)
    if known:
        await world.told(*STORY, *ANSWERS)
    await world.eraser.run_once()
    assert await world.traces() == []


async def test_a_step_that_is_being_written_to_the_log_is_waited_for(world: Erasing) -> None:
    await told_everything(world)
    await world.execute("""
        UPDATE followup_event SET published_at = NULL, lease_until = clock_timestamp() + interval '9 s'""")
    with pytest.raises(StepsOnTheirWay):
        await world.erase()
    await world.execute("UPDATE followup_event SET published_at = now()")
    await world.eraser.run_once()
    assert await world.traces() == []


async def asked_by_a_sender(world: Erasing, name: str, at: datetime, customer: str = CUSTOMER) -> None:
    event = activity(ERASE_REQUESTED, name, time=at, customer=customer) | {"receivedat": at.isoformat()}
    await world.told(event)
    await EraseRequests(world.db, world.requests).run_once()  # type: ignore[arg-type]


async def test_a_sender_may_ask_as_a_source_decides(world: Erasing) -> None:
    await told_everything(world)
    await asked_by_a_sender(world, "redact", ERASED_AT)
    await world.eraser.run_once()
    assert await world.traces() == []
    assert [request.at for request in world.requests.all()] == [ERASED_AT]


async def test_an_older_wish_that_comes_again_does_not_undo_a_newer_one(world: Erasing) -> None:
    await asked_by_a_sender(world, "redact", ERASED_AT)
    await asked_by_a_sender(world, "redact again", AFTER)
    await asked_by_a_sender(world, "redact", ERASED_AT)
    assert [request.at for request in world.requests.all()] == [AFTER]
    assert await world.rows("SELECT * FROM erase_request") == []


async def test_a_wish_whose_record_was_rewritten_is_about_nobody(world: Erasing) -> None:
    await asked_by_a_sender(world, "redact", ERASED_AT, customer="erased")
    assert world.requests.all() == []
