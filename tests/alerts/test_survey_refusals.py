"""Who does not want to be asked is known to every process by hash alone, and the newest word counts."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.alerts.handlers import Handlers, subscriptions
from services.alerts.refusals import Telling
from services.alerts.store import survey_refusals
from shared.config import ConfigStore
from shared.consumer.worker import Worker
from shared.db import Database
from shared.events.envelope import fact_id
from shared.log.port import LogUnavailable
from shared.no_survey import SurveyRefusals
from shared.sealing import Sealing
from tests.alerts.running import RunningAlerts
from tests.alerts.world import ANSWERED, World, activity
from tests.sealing import SEALING

ANNA = "anna.kowalska@example.com"


class Asking(RunningAlerts):
    """Alerts whose refusals `refuses` reads as ingest does."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.refusals = SurveyRefusals(self.config, SEALING)

    async def start(self) -> None:
        await super().start()
        await self.worker.stop()
        topics = [self.settings.topic("scores"), self.settings.topic("activity")]
        handlers = subscriptions(Handlers(self.settings, self.wake, refusals=self.refusals))
        self.worker = Worker(self.log, self.db, topics, handlers, self.clock)  # type: ignore[arg-type]

    async def refuses(self, customer: str = ANNA) -> bool:
        telling = Telling(self.db, self.refusals)  # type: ignore[arg-type]
        while await telling.run_once():
            pass
        return self.refusals.refuses(customer)


@pytest.fixture
async def asking(db: Database) -> AsyncIterator[Asking]:
    running = Asking(db)
    await running.start()
    yield running
    await running.stop()


def says(consent: Any, minute: int, revision: int = 0, customer: str = ANNA, name: str = "") -> dict[str, Any]:
    """`consent` of ... says nothing about it."""
    told = {} if consent is ... else {"consent": consent}
    time = ANSWERED + timedelta(minutes=minute)
    return activity("customer.updated.v1", name or f"cu-{minute}", revision, time, customer=customer, **told)


def retracts(name: str, revision: int) -> dict[str, Any]:
    event = activity("activity.retracted.v1", f"{name}/{revision}", revision, retracts="customer.updated.v1")
    return event | {"factid": str(fact_id("customer.updated.v1", name))}


async def test_who_says_no_is_not_asked_until_the_word_is_taken_back(asking: Asking) -> None:
    assert not await asking.refuses()
    await asking.told(says({"survey": False}, 1))
    assert await asking.refuses()
    assert not asking.refusals.refuses("someone.else@example.com")
    await asking.told(says({"contact": False}, 2), says(..., 3))
    assert await asking.refuses()
    await asking.told(says({"survey": True}, 4))
    assert not await asking.refuses()


async def test_null_takes_it_back_too(asking: Asking) -> None:
    await asking.told(says({"survey": False}, 1), says(None, 2))
    assert not await asking.refuses()


async def test_an_older_word_that_comes_late_changes_nothing(asking: Asking) -> None:
    await asking.told(says({"survey": False}, 5))
    await asking.told(says({"survey": True}, 1))
    assert await asking.refuses()


async def test_a_revision_that_says_nothing_of_it_takes_it_back(asking: Asking) -> None:
    await asking.told(says({"survey": False}, 1, name="one"))
    assert await asking.refuses()
    await asking.told(says(..., 1, revision=1, name="one"))
    assert not await asking.refuses()


async def test_a_fact_that_is_retracted_takes_it_back(asking: Asking) -> None:
    await asking.told(says({"survey": False}, 1, name="one"))
    assert await asking.refuses()
    await asking.told(retracts("one", 1))
    assert not await asking.refuses()


async def test_a_revision_may_speak_of_somebody_else(asking: Asking) -> None:
    await asking.told(says({"survey": False}, 1, name="one"))
    await asking.told(says({"survey": False}, 1, revision=1, name="one", customer="c-2"))
    assert not await asking.refuses()
    assert asking.refusals.refuses("c-2")


async def test_nothing_of_a_person_stands_in_the_configuration_or_its_tables(asking: Asking) -> None:
    await asking.told(says({"survey": False}, 1))
    assert await asking.refuses()
    written = b"".join((record.key or b"") + (record.value or b"") for record in asking.log.records("petla.config"))
    assert b"no-survey/" in written
    for word in (b"anna", b"kowalska", b"example"):
        assert word not in written.lower()
    rows = str(await asking.rows("SELECT * FROM survey_refusal")) + str(
        await asking.rows("SELECT * FROM survey_bucket")
    )
    assert "anna" not in rows
    other = SurveyRefusals(asking.config, Sealing(b"another secret than that of the tests"))
    assert other.place(ANNA) != asking.refusals.place(ANNA)
    assert not other.refuses(ANNA)
    assert other.told(asking.refusals.place(ANNA).bucket) == set()


async def test_what_could_not_be_told_is_told_later(asking: Asking) -> None:
    await asking.told(says({"survey": False}, 1))
    asking.log.unavailable = "away"
    with pytest.raises(LogUnavailable):
        await asking.refuses()
    asking.log.unavailable = None
    await asking.execute("UPDATE survey_bucket SET lease_until = clock_timestamp() - interval '1 s'")
    assert await asking.refuses()


async def test_who_was_slower_than_the_lease_does_not_have_the_last_word(asking: Asking) -> None:
    """What changes while it is told is told again."""
    await asking.told(says({"survey": False}, 1))
    said = asking.refusals.tell

    async def meanwhile(bucket: int, hashes: Any) -> None:
        asking.refusals.tell = said  # type: ignore[method-assign]
        await asking.told(says({"survey": True}, 2))
        await said(bucket, hashes)

    asking.refusals.tell = meanwhile  # type: ignore[method-assign]
    assert not await asking.refuses()


async def test_whose_lease_ran_out_settles_nothing(asking: Asking) -> None:
    """Another one tells something newer meanwhile, and must have told it before a third one may."""
    key, (first, second) = asking.refusals.fingerprint, (uuid4(), uuid4())
    await asking.told(says({"survey": False}, 1))
    async with asking.db.transaction() as tx:
        (slow,) = await survey_refusals.claim(key, first, 9, tx)
    await asking.execute("UPDATE survey_bucket SET lease_until = clock_timestamp() - interval '1 s'")
    await asking.told(says({"survey": True}, 2))
    async with asking.db.transaction() as tx:
        (newer,) = await survey_refusals.claim(key, second, 9, tx)
        await survey_refusals.told(slow, key, first, tx)
        assert await survey_refusals.claim(key, uuid4(), 9, tx) == []
        await survey_refusals.told(newer, key, second, tx)
    assert await asking.rows("SELECT * FROM survey_bucket WHERE told < version") == []
    assert (slow.hashes, newer.hashes) == ([asking.refusals.place(ANNA).hash], [])


async def test_customers_from_before_and_another_secret_are_looked_at_once(world: World) -> None:
    """The tables are new, or the secret is: what the facts say is told, what the other secret said is not kept."""
    await world.told(says({"survey": False}, 1), says({"survey": True}, 1, customer="c-2"))
    config = ConfigStore(world.log, world.settings.topic("config"))
    await config.start()
    old = SurveyRefusals(config, Sealing(b"the secret that there was before"))
    await old.tell(old.place(ANNA).bucket, [old.place(ANNA).hash])
    new = SurveyRefusals(config, SEALING)
    telling = Telling(world.db, new)  # type: ignore[arg-type]
    while await telling.run_once():
        pass
    assert new.refuses(ANNA)
    assert not new.refuses("c-2")
    assert new.foreign() == []
    await config.stop()
