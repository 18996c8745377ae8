"""A fact that a mended rule no longer makes counts nowhere, whenever its retraction comes."""

import itertools
from datetime import UTC, datetime

import pytest
from msgspec import Raw

from shared.events.activity import ACTIVITY_RETRACTED
from shared.events.envelope import Event, encode
from shared.events.identity import activity_fact
from shared.log.port import NewRecord
from tests.builders import ANSWERED, SENDER, SOURCE, activity
from tests.scoring.world import World

COMPLETED = "delivery.completed.v1"
PROMISED = activity(
    "delivery.promised.v1", "p1", order_id="o1", promised_date="2026-11-10", time=datetime(2026, 11, 1, tzinfo=UTC)
)
LATE = activity(COMPLETED, "c1", 1, order_id="o1", completed_at="2026-11-12T10:00:00+01:00")


def retracted(kind: str, name: str, revision: int) -> NewRecord:
    fact = activity_fact(SENDER, SOURCE, kind, name)
    data = Raw(encode({"retracts": kind}))
    event = Event("1.0", "r", SOURCE, ACTIVITY_RETRACTED, ANSWERED, SENDER, fact, ANSWERED, data, revision)
    return NewRecord("petla.activity", LATE.key, encode(event))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_delivery_that_was_none_is_not_late(world: World, order: tuple[int, ...]) -> None:
    told = [PROMISED, LATE, retracted(COMPLETED, "c1", 2)]
    for at in order:
        await world.told(told[at])
    answer = await world.metric("late_delivery")
    assert (answer["n"], answer["counts"]) == (0, {"late": 0, "on_time": 0})
    assert (await world.reconciliation())["balanced"]


async def test_a_later_revision_is_a_delivery_again_and_copies_change_nothing(world: World) -> None:
    again = activity(COMPLETED, "c1", 3, order_id="o1", completed_at="2026-11-12T10:00:00+01:00")
    for record in (PROMISED, LATE, retracted(COMPLETED, "c1", 2), retracted(COMPLETED, "c1", 2), again, LATE):
        await world.told(record)
    assert (await world.metric("late_delivery"))["counts"] == {"late": 1, "on_time": 0}
    tally = (await world.reconciliation())["topics"]["petla.activity"]
    assert (tally["new"], tally["duplicates"], tally["conflicts"]) == (4, 2, 0)


async def test_a_promise_that_was_none_is_no_promise(world: World) -> None:
    await world.told(PROMISED, LATE)
    await world.told(retracted("delivery.promised.v1", "p1", 1))
    assert (await world.metric("late_delivery"))["excluded"]["no_promise"] == 1
