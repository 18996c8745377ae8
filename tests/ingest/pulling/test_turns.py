"""One puller at a time: another waits while the record is renewed, takes over when it is not, and nothing is lost."""

import pytest

from services.ingest.pulling.port import Poller, Position, Pulled
from services.ingest.pulling.turns import RENEWED_AFTER_SECONDS, TAKEN_OVER_AFTER_SECONDS, Turn
from services.ingest.webhooks.request import Request
from shared.config import ConfigStore
from tests.ingest.pulling.conftest import INTERVAL, World


class Counting:
    """Hands out one return a pull, numbered; pulls that are not moved behind hand out the same."""

    name = "allegro"

    def __init__(self) -> None:
        self.asked: list[Position] = []

    async def pull(self, position: Position) -> Pulled:
        self.asked.append(position)
        number = position.get("n", 0) + 1
        body = f'{{"id": "r-{number}", "orderId": "o-1", "createdAt": "2026-11-19T08:00:00Z"}}'.encode()
        return Pulled((Request("GET", "http://x", {"x-petla-pulled": "return"}, body),), {"n": number})

    def kept(self) -> None:
        pass


async def seen(config: ConfigStore) -> None:
    """What others wrote has been read."""
    await config.put("seen", {})


async def two(world: World) -> tuple[ConfigStore, ConfigStore]:
    return await world.config(), await world.config()


async def test_the_second_waits_for_as_long_as_the_first_renews(world: World) -> None:
    mine, theirs = await two(world)
    first, second = Counting(), Counting()
    one = await world.puller(first, mine, "one")
    other = await world.puller(second, theirs, "other")
    for _ in range(10):
        await one.run_once()
        await seen(theirs)
        await other.run_once()
        world.clock.advance(INTERVAL)
    assert len(first.asked) == 10
    assert second.asked == []


async def test_a_puller_that_died_is_replaced_and_nothing_is_lost_or_counted_twice(world: World) -> None:
    mine, theirs = await two(world)
    second = Counting()
    await (await world.puller(Counting(), mine, "one")).run_once()
    await seen(theirs)
    other = await world.puller(second, theirs, "other")
    assert await other.run_once() == 0
    world.clock.advance(TAKEN_OVER_AFTER_SECONDS - 1)
    assert await other.run_once() == 0
    world.clock.advance(1)
    assert await other.run_once() == 1
    assert second.asked == [{"n": 1}]


async def test_one_that_was_frozen_notices_and_writes_no_older_position(world: World) -> None:
    mine, theirs = await two(world)
    turn = Turn("allegro", mine, world.clock, "one")
    assert await turn.take()
    other = Turn("allegro", theirs, world.clock, "other")
    await seen(theirs)
    assert not await other.take()
    world.clock.advance(TAKEN_OVER_AFTER_SECONDS)
    assert await other.take()
    assert await other.move({"n": 7})
    await seen(mine)
    assert not await turn.move({"n": 1})
    assert not await turn.take()
    assert turn.position == {"n": 7}


async def test_one_that_leaves_is_followed_at_once(world: World) -> None:
    mine, theirs = await two(world)
    one = await world.puller(Counting(), mine, "one")
    await one.run_once()
    await one.leave()
    await seen(theirs)
    second = Counting()
    assert await (await world.puller(second, theirs, "other")).run_once() == 1
    assert second.asked == [{"n": 1}]


async def test_a_restart_under_another_name_waits_too(world: World) -> None:
    config = await world.config()
    await (await world.puller(Counting(), config, "before")).run_once()
    after = Counting()
    await (await world.puller(after, config, "after")).run_once()
    assert after.asked == []


async def test_nothing_is_written_for_every_pass_of_an_idle_sender(world: World) -> None:
    class Idle(Counting):
        async def pull(self, position: Position) -> Pulled:
            return Pulled((), position)

    config = await world.config()
    poller: Poller = Idle()
    puller = await world.puller(poller, config)
    await puller.run_once()
    record = config.get("cursor/allegro")
    world.clock.advance(RENEWED_AFTER_SECONDS - 1)
    await puller.run_once()
    assert config.get("cursor/allegro") == record
    world.clock.advance(INTERVAL)
    await puller.run_once()
    assert config.get("cursor/allegro") != record


async def test_of_two_who_take_over_at_once_one_goes_on(world: World) -> None:
    mine, theirs = await two(world)
    one, other = Turn("x", mine, world.clock, "one"), Turn("x", theirs, world.clock, "other")
    taken = [await one.take(), await other._write("other", {})]
    await seen(mine)
    assert taken == [True, True], "for a moment both may believe it"
    assert [await one.take(), await other.take()] == [False, True]


@pytest.mark.parametrize("record", [{}, {"holder": None, "beat": 3, "position": {"n": 4}}])
async def test_a_record_without_a_holder_is_free(world: World, record: dict[str, object]) -> None:
    config = await world.config()
    await config.put("cursor/allegro", record)
    turn = Turn("allegro", config, world.clock, "one")
    assert await turn.take()
    assert turn.position == record.get("position", {})
