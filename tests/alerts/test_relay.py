"""What leaves: every step and every suppression, after the commit, at least once and always with the same id."""

import asyncio

import msgspec
import pytest

from services.alerts import relay
from shared.events.catalogue import TYPES
from shared.events.followups import FollowupChanged, FollowupSuppressed
from shared.log.port import LogUnavailable
from tests.alerts.world import Killed, World, feedback_id, scored


async def test_steps_and_suppressions_leave_as_events(world: World) -> None:
    await world.told(scored("nps", submission_id="s", order_id="o-9"))
    await world.told(scored("csat", submission_id="s"))
    assert world.published() == []

    assert await world.relay.run_once() == 2

    opened, suppressed = sorted(world.published(), key=lambda event: event["type"])
    told = msgspec.convert(opened["data"], FollowupChanged)
    followup = await world.followup("nps")
    assert opened["type"] == "followup.opened.v1"
    assert (opened["source"], opened["sender"], opened["specversion"]) == ("/petla/alerts", "petla", "1.0")
    assert opened["factid"] == opened["id"]
    assert (told.followup_id, told.version, told.feedback) == (str(followup["id"]), 1, str(feedback_id("nps")))
    assert (told.state, told.by, told.customer, told.order_id) == ("new", "petla", "c-1", "o-9")
    assert (told.metric, told.score, told.scale_min, told.scale_max, told.priority) == ("nps", 3, 0, 10, "high")
    assert told.at == followup["opened_at"]
    assert told.first_attempt_due == followup["first_attempt_due"]
    assert suppressed["type"] == "followup.suppressed.v1"
    (kept,) = await world.rows("SELECT at FROM suppression")
    assert msgspec.convert(suppressed["data"], FollowupSuppressed) == FollowupSuppressed(
        feedback=str(feedback_id("csat")),
        version=0,
        reason="same_submission",
        at=kept["at"],
        by="petla",
        followup_id=str(followup["id"]),
    )


async def test_every_event_is_one_that_readers_know(world: World) -> None:
    await world.told(scored("low"))
    await world.told(scored("low", 1, score=9))
    await world.relay.run_once()
    await world.relay.run_once()

    for event in world.published():
        TYPES[event["type"]].decoder.decode(msgspec.json.encode(event["data"]))
    # Each lies in the partition of what it is about: between those there is no order.
    assert sorted(event["type"] for event in world.published()) == [
        "alerts.position.v1",
        "followup.opened.v1",
        "followup.withdrawn.v1",
    ]


async def test_the_loop_looks_again_only_where_more_may_be_owed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH", 2)
    await world.told(*(scored(f"low-{number}", customer=f"c-{number}") for number in range(3)))
    assert await world.relay.catch_up() == 2
    assert await world.relay.catch_up() == 0
    # Where alerts stands is told with the last of them: nobody may come by for half a second.
    assert sorted(event["type"] for event in world.published()) == ["alerts.position.v1", *["followup.opened.v1"] * 3]


async def test_a_relay_that_dies_before_it_marked_sends_again_with_the_same_id(world: World) -> None:
    await world.told(scored("low"))
    append = world.log.append

    async def append_and_die(records: object) -> None:
        await append(records)  # type: ignore[arg-type]
        raise Killed

    world.log.append = append_and_die  # type: ignore[method-assign, assignment]
    with pytest.raises(Killed):
        await world.relay.run_once()
    world.log.append = append  # type: ignore[method-assign]
    assert await world.new_relay().run_once() == 0, "the lease of the dead one holds"
    await world.execute("UPDATE followup_event SET lease_until = clock_timestamp() - interval '1 s'")
    assert await world.new_relay().run_once() == 1

    first, second = world.published()
    assert first == second


async def test_a_relay_that_was_overtaken_marks_nothing(world: World) -> None:
    await world.told(scored("low"))
    append = world.log.append

    async def append_and_be_overtaken(records: object) -> None:
        await append(records)  # type: ignore[arg-type]
        await world.execute("UPDATE followup_event SET lease_token = gen_random_uuid()")

    world.log.append = append_and_be_overtaken  # type: ignore[method-assign, assignment]
    await world.relay.run_once()

    assert await world.rows("SELECT published_at FROM followup_event") == [{"published_at": None}]


async def test_a_log_that_is_away_keeps_everything_owed(world: World) -> None:
    await world.told(scored("low"))
    world.log.unavailable = "the broker is away"
    with pytest.raises(LogUnavailable):
        await world.relay.run_once()
    world.log.unavailable = None
    await world.execute("UPDATE followup_event SET lease_until = clock_timestamp() - interval '1 s'")

    assert await world.relay.run_once() == 1


async def test_two_relays_share_what_is_owed(world: World) -> None:
    await world.told(*(scored(f"low {n}") for n in range(5)))

    assert sum(await asyncio.gather(world.relay.run_once(), world.new_relay().run_once())) == 5
    sent = [event["id"] for event in world.published() if event["type"] == "followup.opened.v1"]
    assert len(set(sent)) == len(sent) == 5


async def test_the_position_follows_the_events_and_is_told_once(world: World) -> None:
    await world.told(scored("low"), scored("high", score=9))
    await world.relay.run_once()
    await world.relay.run_once()
    world.clock.seconds += 60
    await world.relay.run_once()

    (position,) = [event for event in world.published() if event["type"] == "alerts.position.v1"]
    read = position["data"]["positions"]
    assert set(read) == {"petla.scores", "petla.activity"}
    assert sum(read["petla.scores"].values()) == 2
    assert set(read["petla.activity"]) == {"0", "1", "2", "3"}


async def test_no_position_is_told_while_an_event_is_owed_even_to_another_relay(world: World) -> None:
    await world.told(scored("low"))
    await world.execute("UPDATE followup_event SET lease_until = clock_timestamp() + interval '9 s'")

    assert await world.relay.run_once() == 0
    assert world.published() == []


async def test_positions_are_told_at_most_once_a_second(world: World) -> None:
    await world.told(scored("high", score=9))
    await world.relay.run_once()
    await world.told(scored("higher", score=10))
    await world.relay.run_once()
    assert len(world.published()) == 1

    world.clock.seconds += 1
    await world.relay.run_once()
    assert len(world.published()) == 2
