"""Late is judged by the local date of completion, in the offset it was sent with; the order of arrival is no part."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from shared.log.port import NewRecord
from tests.builders import activity
from tests.scoring.world import World

EARLIER = datetime(2026, 11, 1, tzinfo=UTC)


def promised(name: str, revision: int = 0, /, order: str = "o1", **data: object) -> NewRecord:
    return activity("delivery.promised.v1", name, revision, order_id=order, **{"time": EARLIER, **data})


def completed(name: str, at: str, revision: int = 0, /, order: str = "o1", **data: object) -> NewRecord:
    return activity("delivery.completed.v1", name, revision, order_id=order, completed_at=at, **data)


async def late(world: World) -> tuple[dict[str, int], int]:
    answer = await world.metric("late_delivery")
    return answer["counts"], answer["excluded"]["no_promise"]


LATE, ON_TIME, NO_PROMISE = (
    ({"late": 1, "on_time": 0}, 0),
    ({"late": 0, "on_time": 1}, 0),
    ({"late": 0, "on_time": 0}, 1),
)


@pytest.mark.parametrize(
    ("promise", "completion", "expected"),
    [
        ({"promised_date": "2026-11-10"}, "2026-11-10T23:59:59-03:00", ON_TIME),
        ({"promised_date": "2026-11-10"}, "2026-11-11T00:00:00-03:00", LATE),
        ({"promised_date": "2026-11-10"}, "2026-11-11T00:30:00+14:00", LATE),  # still the 10th in UTC
        ({"promised_date": "2026-11-10"}, "2026-11-11T02:59:59Z", LATE),
        ({"promised_at": "2026-11-10T12:00:00Z"}, "2026-11-10T13:00:00+01:00", ON_TIME),
        ({"promised_at": "2026-11-10T12:00:00Z"}, "2026-11-10T13:00:00.000001+01:00", LATE),
        (None, "2026-11-10T12:00:00Z", NO_PROMISE),
    ],
)
async def test_the_promise_and_its_end(
    world: World, promise: dict[str, str] | None, completion: str, expected: object
) -> None:
    if promise:
        await world.told(promised("p1", **promise))
    await world.told(completed("c1", completion))
    assert await late(world) == expected


async def test_nothing_is_late_before_it_is_delivered(world: World) -> None:
    await world.told(promised("p1", promised_date="2026-11-02"))
    assert await late(world) == ({"late": 0, "on_time": 0}, 0)


async def test_moving_a_promise_does_not_keep_it_and_a_revision_corrects_it(world: World) -> None:
    await world.told(promised("p1", promised_date="2026-11-10"), completed("c1", "2026-11-12T10:00:00+01:00"))
    await world.told(promised("p2", promised_date="2026-11-20", time=EARLIER + timedelta(days=3)))
    assert await late(world) == LATE
    await world.told(promised("p1", 1, promised_date="2026-11-12"))
    assert await late(world) == ON_TIME


async def test_of_several_completions_the_earliest_counts(world: World) -> None:
    await world.told(promised("p1", promised_date="2026-11-10"), completed("c1", "2026-11-12T10:00:00+01:00"))
    await world.told(completed("c2", "2026-11-09T10:00:00+01:00"))
    assert await late(world) == ON_TIME
    assert (await world.metric("late_delivery", start="2026-11-09", end="2026-11-10"))["n"] == 1


async def test_store_and_channel_are_those_of_the_order(world: World) -> None:
    await world.told(promised("p1", promised_date="2026-11-10"), completed("c1", "2026-11-12T10:00:00+01:00"))
    await world.told(activity("order.placed.v1", "o", order_id="o1", store="Gdynia", channel="web"))
    by_store = await world.metric("late_delivery", group_by="store")
    assert [(group["key"], group["counts"]["late"]) for group in by_store["groups"]] == [({"store": "Gdynia"}, 1)]
    both = await world.metric("late_delivery", group_by="store,channel")
    assert [group["key"] for group in both["groups"]] == [{"store": "Gdynia", "channel": "web"}]

    await world.told(activity("order.placed.v1", "o", 1, order_id="o1", store="Sopot"))
    moved = await world.metric("late_delivery", group_by="store")
    assert [(group["key"], group["n"]) for group in moved["groups"]] == [({"store": "Sopot"}, 1)]


async def test_a_revision_that_names_another_order_leaves_the_first_one(world: World) -> None:
    await world.told(
        promised("p1", promised_date="2026-11-10"),
        promised("p2", order="o2", promised_date="2026-11-10"),
        completed("c1", "2026-11-12T10:00:00+01:00"),
    )
    assert await late(world) == LATE
    await world.told(completed("c1", "2026-11-09T10:00:00+01:00", 1, order="o2"))
    assert await late(world) == ON_TIME
    assert await world.rows("SELECT order_id, outcome FROM delivery") == [("o2", "on_time")]

    # And a promise that was another order's.
    await world.told(promised("p2", 1, order="o3", promised_date="2026-11-10"))
    assert await late(world) == NO_PROMISE


async def test_every_order_of_arrival_ends_the_same(world: World) -> None:
    facts = [
        activity("order.placed.v1", "o", order_id="o1", store="Gdynia"),
        promised("p1", promised_date="2026-11-10"),
        promised("p2", promised_date="2026-11-20", time=EARLIER + timedelta(days=3)),
        completed("c1", "2026-11-11T00:30:00+01:00"),
        # The same moment, on different days: which of the two counts must not depend on which came first.
        completed("c1", "2026-11-10T23:30:00-03:00", 1),
        completed("c2", "2026-11-11T03:30:00+01:00"),
    ]
    found = set()
    for order in itertools.islice(itertools.permutations(facts), 0, 720, 37):
        await world.empty()
        world.log.recreate("petla.activity")
        await world.bury_worker()
        await world.told(*order[:2])
        await world.told(*order[2:])
        ((outcome, store),) = await world.rows("SELECT outcome, store FROM delivery")
        found.add((outcome, store))
        whole = await world.metric("late_delivery")
        assert whole["counts"] == {"late": int(outcome == "late"), "on_time": int(outcome == "on_time")}
    assert found == {("on_time", "Gdynia")}
