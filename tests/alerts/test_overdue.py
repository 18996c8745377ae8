"""Missed deadlines: each reported once for each opening, in order, under crashes, in parallel and after an outage."""

import asyncio

import pytest
from sqlalchemy import text

from services.alerts import overdue
from services.alerts.overdue import OverdueWatch
from tests.alerts.world import Killed, World, feedback_id, scored

LATE = "UPDATE followup SET first_attempt_due = clock_timestamp() - interval '1 s'"


async def test_a_deadline_that_has_not_passed_is_not_reported(world: World) -> None:
    await world.told(scored("low"))

    assert await world.watch.run_once() == 0


async def test_a_missed_deadline_is_reported_once(world: World) -> None:
    await world.told(scored("low"))
    await world.execute(LATE)

    assert [await world.watch.run_once(), await world.watch.run_once()] == [1, 0]
    followup = await world.followup("low")
    assert (followup["version"], followup["state"]) == (2, "new")
    assert await world.kinds("low") == ["opened", "overdue"]


@pytest.mark.parametrize("state", ["attempted", "reached", "resolved", "withdrawn"])
async def test_who_was_tried_is_not_overdue(world: World, state: str) -> None:
    await world.told(scored("low"))
    await world.execute(LATE + ", state = :state", state=state)

    assert await world.watch.run_once() == 0


async def test_a_follow_up_that_came_back_can_be_overdue_again(world: World) -> None:
    await world.told(scored("low"))
    await world.execute(LATE)
    await world.watch.run_once()
    await world.told(scored("low", 1, score=9))
    await world.told(scored("low", 2, score=1))
    assert await world.watch.run_once() == 0, "it has a new deadline"
    await world.execute(LATE)
    await world.watch.run_once()

    assert await world.kinds("low") == ["opened", "overdue", "withdrawn", "opened", "overdue"]


@pytest.mark.parametrize("kill", ["before", "after"])
async def test_t01_a_watch_that_is_killed_around_its_commit_reports_once(world: World, kill: str) -> None:
    await world.told(scored("low"))
    await world.execute(LATE)
    world.db.kill = kill
    with pytest.raises(Killed):
        await world.watch.run_once()
    await world.watch.run_once()

    assert await world.kinds("low") == ["opened", "overdue"]


async def test_t02_three_watches_report_a_thousand_once_each(world: World) -> None:
    await world.told(*(scored(f"low {n}") for n in range(1_000)))
    await world.execute(LATE)
    watches = [OverdueWatch(world.db, False, world.wake) for _ in range(3)]  # type: ignore[arg-type]

    async def until_nothing_is_left(watch: OverdueWatch) -> int:
        done = 0
        while found := await watch.run_once():
            done += found
        return done

    assert sum(await asyncio.gather(*(until_nothing_is_left(watch) for watch in watches))) == 1_000
    (count,) = await world.rows("SELECT count(*)::int AS n FROM followup_event WHERE kind = 'overdue'")
    assert count == {"n": 1_000}


async def test_t03_after_an_outage_all_are_reported_the_earliest_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "BATCH", 1)
    for hours, name in ((1, "second"), (2, "first"), (0.5, "third")):
        await world.told(scored(name))
        await world.execute(
            "UPDATE followup SET first_attempt_due = clock_timestamp() - make_interval(secs => :late)"
            " WHERE feedback = :id",
            late=hours * 3600,
            id=feedback_id(name),
        )
    assert [await world.watch.run_once() for _ in range(4)] == [1, 1, 1, 0]

    rows = await world.rows("SELECT feedback FROM followup ORDER BY overdue_at")
    assert [row["feedback"] for row in rows] == [feedback_id(name) for name in ("first", "second", "third")]


async def test_a_row_that_somebody_works_on_is_left_to_the_next_pass(world: World) -> None:
    await world.told(scored("low"))
    await world.execute(LATE)
    async with world.db.transaction() as tx:
        await tx.execute(text("SELECT 1 FROM followup FOR UPDATE"))
        assert await world.watch.run_once() == 0
    assert await world.watch.run_once() == 1
