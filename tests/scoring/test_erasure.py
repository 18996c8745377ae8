"""A customer is erased from what scoring keeps: nobody is in any column any more, and no number has moved."""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.scoring.handlers import Handlers, subscriptions
from services.scoring.metrics.registry import METRICS
from services.scoring.persons import Persons, everything, sweep_nameless
from services.scoring.publishing import Publisher
from services.scoring.question import dimensions_of
from shared.config import ConfigStore
from shared.consumer.worker import Worker
from shared.db import Database
from shared.erasure.arrivals import Arrivals
from shared.erasure.belongings import Belongings
from shared.erasure.eraser import Disks, Eraser
from shared.erasure.marks import Marks
from shared.erasure.names import Names
from shared.erasure.requests import Report, Requests
from shared.erasure.traces import Traces
from shared.events.envelope import fact_name, object_key
from shared.events.fields import LATEST
from shared.events.raw import Emitted, packed, unpacked
from shared.log.port import NewRecord
from shared.sealing import Sealing
from tests.builders import activity, answer, fact_of, retraction
from tests.columns import holding
from tests.scoring.delivered import delivery
from tests.scoring.world import World
from tests.sealing import SEALING

ERASED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
AFTER = ERASED_AT + timedelta(minutes=1)
NAME, PHONE, EMAIL = "Bożydar Kłębkowski", "+48 601 234 987", "bozydar@przyklad.example"
TEXT, OTHER_TEXT = "Kurier rzucił paczką w kałużę", "Karton był mokry od kałuży"
CUSTOMER = EMAIL  # shops do that
MARKS = ("Bożydar", "Kłębkowski", "234 987", "bozydar@", "kałuż", "Grawer")

HISTORY = [
    activity("customer.updated.v1", "cu", customer=CUSTOMER, name=NAME, phone=PHONE, email=EMAIL),
    activity(
        "order.placed.v1", "op", order_id="o-9", customer=CUSTOMER, store="Łódź", items=[{"name": f"Grawer {NAME}"}]
    ),
    activity("delivery.promised.v1", "dp", order_id="o-9", promised_date="2026-11-18"),
    activity("delivery.completed.v1", "dc", order_id="o-9", completed_at="2026-11-19T10:00:00+01:00"),
    activity("contact.opened.v1", "co", contact_id="k-1", order_id="o-9", topic=f"Od {NAME}"),
    answer(f"r-{EMAIL}", 3, text=TEXT, customer=CUSTOMER, submission_id="s-1", channel="email"),
    answer(f"r-{EMAIL}", 4, 1, text=f"{TEXT}!", customer=CUSTOMER, submission_id="s-1", channel="email"),
    answer("by-order", 5, text=OTHER_TEXT, order_id="o-9", store="Łódź"),
    answer("by-contact", 2, text=OTHER_TEXT, contact_id="k-1"),
    answer("by-submission", 1, text=OTHER_TEXT, submission_id="s-1", metric="csat"),
    answer("taken-back", 0, text=TEXT, customer=CUSTOMER),
    retraction("taken-back"),
    answer("somebody-else", 9, text="Dobrze", customer="c-2", channel="sms"),
]


class Erasing(World):
    """Scoring that knows of erasures, and its loop."""

    def __init__(self, db: Database) -> None:
        self.names = Names(SEALING)
        self.arrivals = Arrivals(self.names, sweep_nameless)
        super().__init__(db)
        self.config = ConfigStore(self.log, "petla.config")
        self.requests = Requests(self.config, self.names)
        self.eraser = self.new_eraser()

    def new_worker(self) -> Worker:
        handlers = Handlers(self.settings.zone, Publisher("petla.scores"), None, self.arrivals)
        return Worker(self.log, self.db, self.topics.by_scoring, subscriptions(handlers), self.clock)

    def new_eraser(self, disks: Disks | None = None) -> Eraser:
        traces = disks or Traces(self.log, ("petla.feedback", "petla.activity"), self.arrivals, self.db, (), owned=True)
        return Eraser(self.requests, self.db, Persons(), traces, self.clock)

    async def erase(self, customer: str = CUSTOMER, at: datetime = ERASED_AT) -> None:
        await self.requests.ask(customer, at)
        await self.eraser.run_once()

    def reports(self) -> list[Report]:
        found = [self.requests.reported(request, "scoring") for request in self.requests.all()]
        return [report for report in found if report is not None]

    async def numbers(self) -> dict[str, Any]:
        """Every metric by every way it may be asked, and the reconciliation without its clock."""
        found: dict[str, Any] = {}
        for metric, definition in METRICS.items():
            found[metric] = await self.metric(metric)
            for dimension in dimensions_of(definition):
                found[f"{metric} {dimension}"] = await self.metric(metric, group_by=dimension)
        reconciliation = await self.reconciliation()
        return found | {"detractors": reconciliation["detractors"], "feedback": reconciliation["feedback"]}

    async def traces_of_the_database(self) -> list[str]:
        return await holding(self.db, MARKS)

    async def traces(self) -> list[str]:
        """Where a mark of the person is found: columns, and records of the log."""
        found = await self.traces_of_the_database()
        for topic in ("petla.feedback", "petla.activity"):
            for record in self.log.records(topic):
                if any(mark.encode() in (record.value or b"") for mark in MARKS):
                    found.append(f"{topic} {record.offset}: {(record.value or b'').decode()}")
        return found


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class DyingDisks:
    async def rewrite_log(self, marks: Marks) -> None:
        raise Killed

    async def rewrite_files(self) -> list[str]:
        return []


def arrived(record: NewRecord, at: datetime) -> NewRecord:
    """The same, taken by the door at that time."""
    event = json.loads(record.value or b"") | {"receivedat": at.isoformat()}
    return record._replace(value=json.dumps(event, ensure_ascii=False).encode())


@pytest.fixture
async def world(scoring_db: Database) -> AsyncIterator[Erasing]:
    made = Erasing(scoring_db)
    await made.empty()
    await made.execute("DELETE FROM erased")
    await made.config.start()
    yield made
    await made.config.stop()
    await made.worker.stop()
    await made.execute("DELETE FROM erased")


async def test_nobody_is_found_and_no_number_has_moved(world: Erasing) -> None:
    await world.told(*HISTORY)
    assert await world.traces()
    before = await world.numbers()
    await world.erase()
    assert await world.traces() == []
    assert await world.numbers() == before
    async with world.db.snapshot() as tx:
        assert await everything(CUSTOMER, LATEST, tx) == ([], Belongings())
        others, _ = await everything("c-2", LATEST, tx)
    assert [fact.id for fact in others] == [fact_of("somebody-else")]


async def test_rows_of_one_person_keep_one_random_name(world: Erasing) -> None:
    await world.told(*HISTORY)
    await world.erase()
    rows = await world.rows("SELECT DISTINCT data ->> 'customer' FROM feedback WHERE data ->> 'customer' <> 'c-2'")
    ((name,),) = rows
    assert name.startswith("erased-")
    assert name.removeprefix("erased-") not in json.dumps([value for _, value in world.config.items("")])


async def test_a_replay_from_the_start_brings_nothing_back_and_counts_nothing(world: Erasing) -> None:
    await world.told(*HISTORY)
    await world.erase()
    before = await world.numbers()
    await world.told(*HISTORY)
    assert await world.traces_of_the_database() == []
    assert await world.numbers() == before
    done = (await world.reconciliation())["topics"]
    assert [(one["duplicates"], one["conflicts"]) for one in done.values()] == [(8, 0), (5, 0)]
    assert await world.rows("SELECT count(*) FROM dead_letter") == [(0,)]


async def test_another_log_is_not_suspected_behind_rewritten_records(world: Erasing) -> None:
    await world.told(*HISTORY)
    await world.erase()
    await world.bury_worker()
    await world.read()
    assert (await world.reconciliation())["topics"]["petla.feedback"]["read"] == 8


async def test_a_database_of_yesterday_is_brought_to_it_from_the_hash_alone(world: Erasing) -> None:
    """As after a restore: every store has reported, and the request holds no name any more."""
    request = await world.requests.ask(CUSTOMER, ERASED_AT)
    await world.requests.forget_name(request)
    await world.told(*HISTORY)
    assert [one.sealed for one in world.requests.all()] == [None]
    await world.new_eraser().run_once()
    assert await world.traces() == []


async def test_late_facts_of_an_erased_customer_count_and_say_nothing(world: Erasing) -> None:
    await world.erase()
    before = (await world.metric("nps"))["n"]
    await world.told(*HISTORY)
    assert await world.traces_of_the_database() == []
    assert (await world.metric("nps"))["n"] == before + 4
    assert {one.customer for one in world.published() if one.feedback != fact_of("somebody-else")} <= {"erased", None}


async def test_an_answer_that_came_before_the_order_it_belongs_to(world: Erasing) -> None:
    """In a replay nobody keeps the order between topics: the answer names nobody, the order says whose it was."""
    await world.erase()
    await world.told(answer("by-order", 5, text=OTHER_TEXT, order_id="o-9"))
    assert await world.traces_of_the_database()  # nobody can know
    await world.told(HISTORY[1])
    assert await world.traces_of_the_database() == []
    await world.told(answer("later", 5, text=OTHER_TEXT, order_id="o-9", time=AFTER))
    assert await world.traces_of_the_database() == []


async def test_a_customer_who_comes_back_is_a_customer(world: Erasing) -> None:
    await world.told(*HISTORY)
    await world.erase()
    again = activity("customer.updated.v1", "cu2", customer=CUSTOMER, name=NAME, time=AFTER)
    new = answer("new", 1, text=TEXT, customer=CUSTOMER, time=AFTER)
    await world.told(arrived(again, AFTER), arrived(new, AFTER))
    async with world.db.snapshot() as tx:
        facts, _ = await everything(CUSTOMER, LATEST, tx)
    assert {fact.type for fact in facts} == {"customer.updated.v1", "feedback.received.v1"}


async def test_what_arrived_before_the_erasure_is_theirs_whenever_it_says_it_happened(world: Erasing) -> None:
    await world.told(answer("fast clock", 1, text=TEXT, customer=CUSTOMER, time=AFTER))
    await world.erase()
    assert await world.traces() == []


async def test_the_same_revision_stamped_anew_is_a_duplicate(world: Erasing) -> None:
    """A client's retry without a time gets the time it arrives at."""
    await world.told(*HISTORY)
    await world.erase()
    again = json.loads(HISTORY[6].value or b"") | {"time": AFTER.isoformat()}
    await world.told(arrived(HISTORY[6]._replace(value=json.dumps(again).encode()), AFTER))
    assert await world.traces_of_the_database() == []
    assert (await world.reconciliation())["topics"]["petla.feedback"]["duplicates"] == 1


async def test_what_was_set_aside_is_emptied_and_still_counted(world: Erasing) -> None:
    clash = [answer("clash", 3, text=TEXT, customer=CUSTOMER), answer("clash", 4, text=OTHER_TEXT, customer=CUSTOMER)]
    garbage = NewRecord("petla.feedback", b"", f'{{"name": "{NAME}", '.encode())
    invalid = json.loads(answer("invalid", 3, customer=CUSTOMER, text=TEXT).value or b"")
    invalid["data"]["score"] = 11
    refused = NewRecord("petla.feedback", b"", json.dumps(invalid).encode())
    await world.told(HISTORY[0], *clash, garbage, refused)
    assert await world.rows("SELECT count(*) FROM dead_letter WHERE value IS NOT NULL") == [(3,)]
    await world.erase()
    assert await world.traces() == []
    assert await world.rows("SELECT count(*) FROM dead_letter") == [(3,)]
    assert (await world.feedback("clash") or {})["conflicts"] == 1
    await world.told(clash[1], refused)
    world.clock.seconds += 20
    await world.eraser.run_once()
    assert await world.traces_of_the_database() == []


async def test_a_delivery_that_was_set_aside_is_looked_into(world: Erasing) -> None:
    """Nobody reads a name in a compressed body, nor in what a delivery made of it."""
    quoting = {"data": {"source": "shop", "body": b64encode(packed(f"od {NAME}".encode())).decode()}}
    making = {"data": {"source": "shop", "events": [{"fact": fact_of("r-1"), "name": "r-1"}]}}
    other = {"data": {"source": "shop", "body": b64encode(packed(b"od innej osoby")).decode()}}
    letters = [NewRecord("petla.feedback", b"", json.dumps(one).encode()) for one in (quoting, making, other)]
    await world.told(HISTORY[0], answer("r-1", 3, customer=CUSTOMER), *letters)
    assert await world.rows("SELECT count(*) FROM dead_letter WHERE value IS NOT NULL") == [(3,)]
    await world.erase()
    assert await world.rows("SELECT count(*) FROM dead_letter WHERE value IS NOT NULL") == [(1,)]


async def test_an_erasure_that_was_killed_is_done_by_whoever_comes(world: Erasing) -> None:
    await world.told(*HISTORY)
    await world.requests.ask(CUSTOMER, ERASED_AT)

    world.eraser = world.new_eraser(DyingDisks())
    with pytest.raises(Killed):
        await world.eraser.run_once()
    assert [report.traces_at is None for report in world.reports()] == [True]
    await world.new_eraser().run_once()
    assert await world.traces() == []
    assert [report.traces_at is None for report in world.reports()] == [False]


async def test_asked_twice_it_counts_from_the_second_time(world: Erasing) -> None:
    await world.told(*HISTORY)
    await world.erase()
    await world.told(arrived(answer("new", 1, text=TEXT, customer=CUSTOMER, time=AFTER), AFTER))
    await world.erase(at=AFTER + timedelta(days=1))
    assert await world.traces() == []


async def test_a_copy_that_comes_after_the_log_was_rewritten_leaves_it_too(world: Erasing) -> None:
    await world.told(*HISTORY)
    await world.erase()
    await world.told(*HISTORY)
    assert await world.traces()
    world.clock.seconds += 301
    await world.eraser.run_once()
    assert await world.traces() == []
    before = world.log.appends
    world.clock.seconds += 301
    await world.eraser.run_once()
    assert world.log.appends == before


def _about(kind: str, field: str, name: str, said: str) -> NewRecord:
    """A delivery of which an event names an order or a contact, and its body says whose."""
    named = f"{kind} {name}"
    event = Emitted(kind, "/repairs", named, fact_name("repairs", named), 1, "0" * 32, object_key(field, name).hex())
    return delivery(named, event, body=packed(said.encode()))


def _said(world: Erasing) -> list[str]:
    """The bodies that the log still has."""
    bodies = [json.loads(record.value or b"")["data"].get("body") for record in world.log.records("petla.raw")]
    return [unpacked(b64decode(body)).decode() for body in bodies if body]


async def test_deliveries_about_their_orders_and_contacts_say_nothing_of_them(world: Erasing) -> None:
    """A reply names a contact and a refund an order, nobody else: whose they are, and what was said, is in the body."""
    theirs = [
        _about("refund.issued.v1", "order_id", "o-9", f"zwrot dla: {NAME}"),
        _about("contact.replied.v1", "contact_id", "k-1", TEXT),
    ]
    await world.told(*HISTORY, *theirs, _about("refund.issued.v1", "order_id", "o-10", "zwrot dla kogoś innego"))
    traces = Traces(world.log, ("petla.raw",), world.arrivals, world.db, (), owned=True)
    world.eraser = world.new_eraser(traces)
    await world.erase()
    assert _said(world) == ["zwrot dla kogoś innego"]

    await world.told(_about("return.requested.v1", "order_id", "o-9", f"odbiór u: {NAME}"))
    world.clock.seconds += 301
    await world.eraser.run_once()
    assert _said(world) == ["zwrot dla kogoś innego"]


async def test_a_delivery_that_was_set_aside_is_theirs_by_its_order(world: Erasing) -> None:
    letter = json.dumps({"data": {"events": [{"fact": "f", "key": object_key("order_id", "o-9").hex()}]}})
    await world.told(*HISTORY, NewRecord("petla.feedback", b"", letter.encode()))
    await world.erase()
    assert await world.rows("SELECT count(*) FROM dead_letter WHERE value IS NOT NULL") == [(0,)]


async def test_what_another_secret_has_hashed_is_told_once_and_left(world: Erasing) -> None:
    other = Requests(world.config, Names(Sealing(b"another secret, set by mistake")))
    await other.ask(CUSTOMER, ERASED_AT)
    await world.told(*HISTORY)
    with capture_logs() as logged:
        await world.eraser.run_once()
        await world.eraser.run_once()
    assert [(line["event"], line["count"]) for line in logged] == [("erasures_of_another_secret", 1)]
    assert await world.traces()
    assert [one.hash for one in other.all()] != [one.hash for one in world.requests.all()]
