"""It adds up in every state on the way, and says what is missing, lost or not settled yet."""

import time
from typing import Any

import pytest

from shared.consumer import worker as runtime
from shared.log.memory import MemoryLog
from shared.log.partitioning import partition_of
from shared.log.port import LogUnavailable, NewRecord
from tests.builders import activity, answer, retraction
from tests.scoring.world import World, position, step, suppressed

GARBAGE = NewRecord("petla.feedback", b"g", b"garbage")
MIXED = [
    answer("f1", 3),
    answer("f1", 3),
    answer("f1", 5),
    GARBAGE,
    retraction("f2", 3),
    answer("f2", 9),
    answer("f3", 9),
    answer("f3", 2, 4),
    answer("f3", 1, 2),
    retraction("f1", 1),
    NewRecord("petla.feedback", b"t", None),
    answer("f4", 0),
    activity("order.placed.v1", "o1", order_id="o1"),
    activity("order.placed.v1", "o1", order_id="o1"),
    activity("order.placed.v1", "o1", order_id="o1", store="Gdynia"),
    NewRecord("petla.activity", b"g", b"{}"),
]


def adds_up(found: dict[str, Any]) -> bool:
    topics = found["topics"].values()
    return all(
        topic["read"] == topic["new"] + topic["duplicates"] + topic["conflicts"] + sum(topic["rejected"].values())
        for topic in topics
    ) and found["topics"]["petla.feedback"]["new"] == sum(found["feedback"].values())


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_it_adds_up_after_every_batch(world: World, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(runtime, "BATCH_RECORDS", size)
    await world.log.append(MIXED)
    states = 0
    while await world.worker.run_once():
        found = await world.reconciliation()
        assert adds_up(found), found
        offsets = found["as_of"]["offsets"]
        read = sum(sum(offsets[topic].values()) for topic in ("petla.feedback", "petla.activity"))
        assert read == sum(topic["read"] for topic in found["topics"].values())
        states += 1
    assert states >= len(MIXED) / size
    found = await world.reconciliation()
    assert found["topics"] == {
        "petla.feedback": {
            "read": 12,
            "new": 8,
            "duplicates": 1,
            "conflicts": 1,
            "rejected": {"undecodable": 1, "empty": 1},
            "lost": 0,
        },
        "petla.activity": {
            "read": 4,
            "new": 1,
            "duplicates": 1,
            "conflicts": 1,
            "rejected": {"undecodable": 1},
            "lost": 0,
        },
    }
    assert found["feedback"] == {"scored": 2, "retracted": 2, "superseded": 4}
    assert found["detractors"] == {"total": 2, "followups": 0, "suppressed": {}, "missing": 2}
    assert not found["balanced"]


async def test_balanced_once_every_detractor_has_a_follow_up_or_a_reason(world: World) -> None:
    await world.told(answer("f1", 3), answer("f2", 2), answer("f3", 9))
    assert (await world.reconciliation())["detractors"]["missing"] == 2
    await world.told(step("opened", "f1", 1, "new"), suppressed("f2", "same_submission"))
    found = await world.reconciliation()
    assert found["detractors"] == {"total": 2, "followups": 1, "suppressed": {"same_submission": 1}, "missing": 0}
    assert found["balanced"]
    # A reason belongs to the revision it was given for.
    await world.told(answer("f2", 1, 1))
    assert (await world.reconciliation())["detractors"]["missing"] == 1
    await world.told(suppressed("f2", "too_old", 1))
    assert (await world.reconciliation())["balanced"]


async def test_settled_once_all_is_read_published_and_read_by_alerts(world: World) -> None:
    await world.told(answer("f1", 9), activity("order.placed.v1", "o1", order_id="o1"))
    assert not (await world.reconciliation())["settled"]
    ends = {
        topic: {number: end for number, (_, end) in (await world.log.bounds(topic)).items()}
        for topic in ("petla.scores", "petla.activity")
    }
    await world.told(position(ends))
    assert (await world.reconciliation())["settled"]

    # An older word about the position changes nothing.
    await world.told(position({"petla.scores": {0: 0, 1: 0, 2: 0}}, at=world.scores.now().replace(year=2020)))
    assert (await world.reconciliation())["settled"]
    await world.log.append([answer("f2", 9)])
    assert not (await world.reconciliation())["settled"]
    await world.read()
    assert not (await world.reconciliation())["settled"]  # alerts has not read what came of it


async def test_not_settled_while_scored_events_are_owed(world: World) -> None:
    await world.told(position({topic: {0: 99, 1: 99, 2: 99} for topic in ("petla.scores", "petla.activity")}))
    append, world.log.append = world.log.append, _away  # type: ignore[assignment,method-assign]
    await append([answer("f1", 9)])
    with pytest.raises(LogUnavailable):
        await world.worker.run_once()
    assert not (await world.reconciliation())["settled"]
    world.log.append = append  # type: ignore[method-assign]
    await world.read()
    assert (await world.reconciliation())["settled"]


async def _away(records: object) -> None:
    raise LogUnavailable("away")


async def test_a_deleted_position_is_read_again_and_it_still_adds_up(world: World) -> None:
    await world.told(*MIXED)
    before = await world.reconciliation()
    await world.execute("DELETE FROM consumer_offset")
    world.clock.seconds += 1
    await world.read()
    after = await world.reconciliation()
    assert adds_up(after)
    assert after["feedback"] == before["feedback"]
    topic = after["topics"]["petla.feedback"]
    assert (topic["read"], topic["new"], topic["lost"]) == (24, 8, 0)


@pytest.mark.parametrize("nameless", [False, True])
async def test_another_log_is_replayed_and_absorbed(world: World, nameless: bool) -> None:
    if nameless:
        world.log.incarnation = _nameless  # type: ignore[method-assign]
    # Without a name, another log is told by its end alone: so here it is shorter where the old one was read.
    here = b"0001"
    elsewhere = next(key for key in (b"%04d" % number for number in range(99)) if _number(key) != _number(here))
    await world.told(answer("f1", 9)._replace(key=here), answer("f2", 10)._replace(key=here))
    world.log.recreate("petla.feedback")
    new = [answer(f"new{number}", 9)._replace(key=elsewhere) for number in range(20)]
    await world.log.append([answer("f2", 10)._replace(key=here), *new])
    await world.bury_worker()
    await world.read()

    found = await world.reconciliation()
    assert found["topics"]["petla.feedback"] == {
        "read": 23, "new": 22, "duplicates": 1, "conflicts": 0, "rejected": {}, "lost": 0,
    }  # fmt: skip
    assert found["balanced"]
    assert (await world.metric("nps"))["n"] == 22


def _number(key: bytes) -> int:
    return partition_of(key, 2)


async def _nameless(topic: str) -> str:
    return ""


async def test_what_expired_unread_is_lost_and_not_balanced(world: World) -> None:
    await world.told(answer("f1", 9))
    await world.log.append([answer(f"gone{number}", 9) for number in range(5)])
    await expire(world.log)
    await world.told(answer("f2", 9))
    found = await world.reconciliation()
    assert adds_up(found)
    assert found["topics"]["petla.feedback"]["lost"] == 5
    assert found["topics"]["petla.feedback"]["read"] == 2
    assert not found["balanced"]


async def expire(log: MemoryLog) -> None:
    await log.expire(int(time.time() * 1000) + 200 * 3_600_000)


async def test_a_record_on_the_wrong_topic_is_set_aside(world: World) -> None:
    stray = activity("order.placed.v1", "o1", order_id="o1")
    await world.told(stray._replace(topic="petla.feedback"), answer("f1", 9))
    found = await world.reconciliation()
    assert found["topics"]["petla.feedback"]["rejected"] == {"wrong_topic": 1}
    assert found["balanced"]
