"""Batches that meet: two workers, two partitions, one submission or one follow-up."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.handlers import Handlers
from shared.consumer.messages import Message, read_record
from shared.log.port import Partition, Record
from tests.alerts.world import Killed, World, feedback_id, scored


def message(event: dict[str, Any]) -> Message:
    read = read_record(Record(Partition("petla.scores", 0), 0, b"", json.dumps(event).encode()))
    assert isinstance(read, Message)
    return read


async def take(world: World, event: dict[str, Any], tx: AsyncConnection) -> None:
    await Handlers(world.settings, world.wake).take_scores([message(event)], tx)


async def take_alone(world: World, event: dict[str, Any]) -> None:
    async with world.db.transaction() as tx:
        await take(world, event, tx)


async def until_it_waits(world: World) -> None:
    """Until some transaction waits for another's lock."""
    async with asyncio.timeout(10):
        while not await world.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
            pass


async def test_two_answers_of_a_submission_in_two_transactions_share_a_follow_up(world: World) -> None:
    async with world.db.transaction() as first:
        await take(world, scored("nps", submission_id="s"), first)
        second = asyncio.create_task(take_alone(world, scored("csat", submission_id="s")))
        await until_it_waits(world)
    await second

    assert await world.states() == {feedback_id("nps"): "new"}
    assert await world.suppressions() == {(feedback_id("csat"), 0, "same_submission")}


async def test_who_waited_for_an_opening_that_was_rolled_back_opens(world: World) -> None:
    async with world.db.snapshot():  # only to show that readers hold up nobody
        first = world.db.transaction()
        tx = await first.__aenter__()
        await take(world, scored("nps", submission_id="s"), tx)
        second = asyncio.create_task(take_alone(world, scored("csat", submission_id="s")))
        await until_it_waits(world)
        await first.__aexit__(KeyError, KeyError(), None)  # the block raised
        await second

    assert await world.states() == {feedback_id("csat"): "new"}


async def test_a_withdrawal_and_a_joining_answer_that_meet_leave_the_follow_up_alive(world: World) -> None:
    await world.told(scored("nps", submission_id="s"))
    async with world.db.transaction() as first:
        await take(world, scored("nps", 1, score=9, submission_id="s"), first)
        second = asyncio.create_task(take_alone(world, scored("csat", submission_id="s")))
        await until_it_waits(world)
    await second

    assert await world.states() == {feedback_id("nps"): "new"}
    assert await world.kinds("nps") == ["opened", "withdrawn", "opened"]


@pytest.mark.parametrize(("kill", "left"), [("before", 0), ("after", 1)])
async def test_a_killed_batch_is_taken_exactly_once(world: World, kill: str, left: int) -> None:
    await world.consume_nothing()  # claims the partitions, so that the next transaction is the batch's
    await world.tell(scored("low"))
    world.db.kill = kill
    with pytest.raises(Killed):
        await world.worker.run_once()
    assert len(await world.states()) == left

    await world.bury_worker()
    while await world.worker.run_once():
        pass
    assert await world.kinds("low") == ["opened"]
