"""Every current revision leaves at least once, under one id, and nothing leaves that was not committed."""

import pytest

from shared.events.envelope import decode_event
from shared.log.port import NewRecord
from tests.builders import activity, answer, fact_of, retraction
from tests.scoring.world import World


class Killed(BaseException):
    """The process ends here: nothing catches it."""


async def killed_before_publishing(world: World, *records: NewRecord) -> None:
    append = world.log.append
    await append(records)

    async def kill(records: object) -> None:
        raise Killed

    world.log.append = kill  # type: ignore[assignment,method-assign]
    with pytest.raises(Killed):
        await world.worker.run_once()
    world.log.append = append  # type: ignore[method-assign]
    await world.bury_worker()


def ids(world: World) -> list[str]:
    return sorted(decode_event(record.value or b"").id for record in world.log.records("petla.scores"))


async def test_what_a_crash_kept_back_is_published_by_the_next_one(world: World) -> None:
    await world.told(answer("known", 9))
    await killed_before_publishing(world, answer("f1", 3, text="Za późno"), answer("f2", 9), retraction("f3"))
    await world.read()
    told = {(told.feedback, told.revision): told for told in world.published()}
    assert told.keys() == {(fact_of("known"), 0), (fact_of("f1"), 0), (fact_of("f2"), 0), (fact_of("f3"), 1)}
    low = told[fact_of("f1"), 0]
    assert (low.metric, low.score, low.group, low.text) == ("nps", 3, "detractor", "Za późno")
    assert told[fact_of("f3"), 1].retracted


async def test_what_is_published_again_is_the_same_event(world: World) -> None:
    await world.told(
        answer("f1", 3, text="Za późno", customer="c-1", channel="sms", followup_id="u-1"), retraction("f2")
    )
    await world.execute("UPDATE consumer_offset SET published = 0, published_at = 'epoch'")
    await world.bury_worker()
    await world.read()
    values = [record.value for record in world.log.records("petla.scores")]
    assert len(values) == 4
    assert len(set(values)) == 2
    assert {told.followup_id for told in world.published()} == {"u-1", None}


async def test_a_claim_publishes_only_what_is_owed(world: World) -> None:
    """Also for a topic that has been idle since long before the last answers, which lie in every partition."""
    names = [f"f{number}" for number in range(12)]
    await world.told(*(answer(name, 9) for name in names))
    await world.execute("UPDATE consumer_offset SET published_at = 'epoch'")
    await world.bury_worker()
    await world.told(activity("order.placed.v1", "o1", order_id="o1"))
    await world.execute(
        "UPDATE consumer_offset SET published = 0, published_at = 'epoch' WHERE topic = 'petla.activity'"
    )
    await world.bury_worker()
    await world.read()
    assert ids(world) == sorted(f"{fact_of(name)}/0" for name in names)


async def test_only_what_is_current_leaves(world: World) -> None:
    await world.told(answer("f1", 9, 3))
    await world.told(answer("f1", 3), answer("f1", 2, 1))
    assert ids(world) == [f"{fact_of('f1')}/3"]


async def test_what_was_set_aside_never_leaves(world: World) -> None:
    broken = answer("f1", 3)
    bad = (broken.value or b"").replace(fact_of("f1").encode(), b"no uuid")
    await world.told(broken._replace(value=bad), answer("f2", 3))
    assert ids(world) == [f"{fact_of('f2')}/0"]
    assert (await world.scores.dead_letters("dead_letter", 50, None))["total"] == 1
