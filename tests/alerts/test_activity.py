"""Facts about customers: what comes again is absorbed, what contradicts is shown and the first stays."""

import pytest

from tests.alerts.world import World, activity


async def outcomes(world: World) -> dict[str, int]:
    rows = await world.rows("SELECT outcome, sum(n)::int AS n FROM consumer_tally GROUP BY outcome")
    return {row["outcome"]: row["n"] for row in rows}


@pytest.mark.parametrize("batches", [1, 3])
async def test_duplicates_and_conflicts(world: World, batches: int) -> None:
    first = activity("order.placed.v1", "o", order_id="o-9", customer="c-1")
    contradicting = activity("order.placed.v1", "o", order_id="o-9", customer="c-2")
    events = [first, first, contradicting]
    for batch in [events] if batches == 1 else [[event] for event in events]:
        await world.told(*batch)

    assert await outcomes(world) == {"new": 1, "duplicate": 1, "conflict": 1}
    assert await world.rows("SELECT customer FROM activity") == [{"customer": "c-1"}]
    (letter,) = await world.rows("SELECT kind, CAST(id AS text) AS id FROM dead_letter")
    assert letter == {"kind": "conflict", "id": first["factid"]}


async def test_every_revision_is_kept(world: World) -> None:
    await world.told(
        activity("order.placed.v1", "o", 1, order_id="o-9", customer="c-2"),
        activity("order.placed.v1", "o", 0, order_id="o-9", customer="c-1"),
    )

    assert await outcomes(world) == {"new": 2}
    assert await world.rows("SELECT revision, customer FROM activity ORDER BY revision") == [
        {"revision": 0, "customer": "c-1"},
        {"revision": 1, "customer": "c-2"},
    ]
