"""However a stream is cut into batches, the same rows stand in the tables: also of what meets within one batch."""

from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.db import Database
from shared.log.port import NewRecord
from tests.builders import answer, retraction
from tests.round_trips import statements
from tests.scoring import strategies
from tests.scoring.world import World, batches

KEPT = {
    "feedback": "SELECT id, revision, content, sender, partition, time, received_at, data, retracted, metric,"
    " direction, score, scale_min, scale_max, group_name, superseded_at IS NULL FROM feedback",
    "rollup": "SELECT metric, dimension, value, day, scale_min, scale_max, direction, score, excluded, sum(n)"
    " FROM rollup GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 HAVING sum(n) <> 0",
    "tally": "SELECT topic, partition, outcome, n FROM consumer_tally",
    "letters": "SELECT partition, log_offset, kind, id, content FROM dead_letter",
    "positions": "SELECT topic, partition, next_offset FROM consumer_offset",
}


async def kept(scoring_db: Database, told: list[list[NewRecord]]) -> tuple[dict[str, Any], set[tuple[str, int]]]:
    """What stands in the tables, and what was published."""
    world = World(scoring_db)
    await world.empty()
    for batch in told:
        await world.told(*batch)
    found = {name: sorted(map(repr, await world.rows(statement))) for name, statement in KEPT.items()}
    await world.worker.stop()
    return found, {(one.feedback, one.revision) for one in world.published()}


@settings(max_examples=25, deadline=None)
@given(st.data())
async def test_one_by_one_and_in_batches_leave_the_same(scoring_db: Database, data: st.DataObject) -> None:
    facts = data.draw(strategies.feedback())
    # Other contents under the same names and revisions: conflicts.
    others = [fact for fact in data.draw(strategies.feedback()) if data.draw(st.booleans())]
    repeated = data.draw(st.lists(st.sampled_from(facts), max_size=6))
    sent = [fact.record() for fact in data.draw(st.permutations([*facts, *others, *repeated]))]
    cuts = data.draw(st.lists(st.integers(1, 30), max_size=2))
    alone, published_alone = await kept(scoring_db, [[record] for record in sent])
    together, published = await kept(scoring_db, [list(batch) for batch in batches(sent, cuts)])
    assert together == alone
    # In one batch what is superseded at once never leaves.
    assert published <= published_alone


async def test_what_is_superseded_within_its_batch_never_leaves(world: World) -> None:
    await world.told(answer("f1", 3), answer("f2", 9), answer("f1", 9, 1), retraction("f1", 2))
    told = {(one.feedback, one.revision, one.retracted) for one in world.published()}
    assert {(revision, retracted) for _, revision, retracted in told} == {(0, False), (2, True)}
    assert len(told) == 2


async def test_times_keep_their_microseconds(world: World) -> None:
    moments = ["1970-01-01T00:00:00.000001Z", "2026-11-20T10:00:00.999999+01:00", "2199-12-31T23:59:59.123457Z"]
    times = [datetime.fromisoformat(moment) for moment in moments]
    await world.told(*(answer(f"f{at}", 9, time=time) for at, time in enumerate(times)))
    assert sorted(time for (time,) in await world.rows("SELECT time FROM feedback")) == times


async def test_a_batch_of_first_answers_is_five_statements_and_a_copy(world: World) -> None:
    await world.told(answer("before", 9))  # the driver looks types up, once
    await world.log.append([answer("f1", 3), answer("f2", 9), answer("f3", 10)])
    async with statements(world.db) as said:
        assert await world.worker.run_once() == 3
    begun, fence, known, rollups, committed = said
    assert (begun, committed) == ("BEGIN", "COMMIT")
    assert "UPDATE consumer_offset" in fence
    assert known.startswith("SELECT id, revision, content FROM feedback")
    assert rollups.startswith("INSERT INTO rollup")
