"""A fact is a register: the highest revision counts, in any order, however often each was sent; conflicts are shown."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.answers import answer as answered
from shared.db import Database
from shared.log.port import NewRecord
from tests.builders import ANSWERED, activity, answer, fact_of, retraction
from tests.scoring import naive, strategies
from tests.scoring.world import World, batches, question

QUESTIONS = [
    question(metric, start="2026-10-01", end="2026-12-01", **asked)
    for metric in ("nps", "csat", "ces", "ces_easy", "rating", "rating_top2", "recommend")
    for asked in (
        {},
        {"group_by": "channel", "granularity": "day"},
        {"group_by": "channel,store", "granularity": "week"},
        {"filters": {"campaign": ["spring"]}},
    )
]


@settings(max_examples=20, deadline=None)
@given(st.data())
async def test_any_order_and_any_repetition_of_the_same_facts_gives_the_same_answers(
    scoring_db: Database, data: st.DataObject
) -> None:
    facts = data.draw(strategies.feedback())
    sent = data.draw(st.permutations([*facts, *data.draw(st.lists(st.sampled_from(facts), max_size=8))]))
    records = [elsewhere(fact.record(), data.draw(st.integers(0, 5))) for fact in sent]
    world = World(scoring_db)
    await world.empty()
    for batch in batches(records, data.draw(st.lists(st.integers(1, 20), max_size=3))):
        await world.told(*batch)
    await world.worker.stop()

    for asked in QUESTIONS:
        expected = answered(asked, naive.samples(facts, asked), None)
        assert await world.scores.answer(asked) == expected
    told = {(told.feedback, told.revision) for told in world.published()}
    assert newest(facts) <= told
    reconciled = await world.reconciliation()
    assert reconciled["feedback"]["scored"] + reconciled["feedback"]["retracted"] == len(newest(facts))
    assert reconciled["topics"]["petla.feedback"]["new"] == len(facts)
    assert reconciled["topics"]["petla.feedback"]["duplicates"] == len(sent) - len(facts)


def elsewhere(record: NewRecord, number: int) -> NewRecord:
    """Now and then in another partition, as after the partition count grew: then the unique key alone holds."""
    return record if number else record._replace(key=b"elsewhere")


def newest(facts: list[naive.Fact]) -> set[tuple[str, int]]:
    highest: dict[str, int] = {}
    for fact in facts:
        known = fact_of(fact.name, fact.sender)
        highest[known] = max(highest.get(known, 0), fact.revision)
    return set(highest.items())


async def test_a_retraction_that_comes_before_its_answer(world: World) -> None:
    await world.told(retraction("f1", 2))
    alone = await world.feedback("f1")
    assert alone is not None
    assert (alone["retracted"], alone["metric"], alone["score"], alone["feedback_id"]) == (True, None, None, "f1")
    assert (await world.metric("nps"))["excluded"] == {"retracted": 0}

    await world.told(answer("f1", 3, channel="email"))
    found = await world.feedback("f1")
    assert found is not None
    assert (found["retracted"], found["metric"], found["score"], found["revision"]) == (True, "nps", 3, 2)
    asked = await world.metric("nps", group_by="channel")
    assert (asked["n"], asked["excluded"]) == (0, {"retracted": 1})
    # What was taken back before it came never leaves as an answer.
    assert [(told.revision, told.retracted) for told in world.published()] == [(2, True)]


async def test_an_update_whose_original_never_came_is_the_answer(world: World) -> None:
    await world.told(answer("f1", 3, 5))
    await world.told(answer("f1", 10, 2))
    found = await world.feedback("f1")
    assert found is not None
    assert (found["score"], found["revision"], found["group"]) == (3, 5, "detractor")
    assert (await world.metric("nps"))["histogram"] == {"3": 1}


async def test_an_answer_after_a_retraction_counts_again(world: World) -> None:
    await world.told(answer("f1", 3), retraction("f1", 1), answer("f1", 9, 2))
    assert (await world.metric("nps"))["histogram"] == {"9": 1}
    assert [told.revision for told in world.published()] == [2]


async def test_of_one_revision_with_two_contents_the_first_in_the_log_stays(world: World) -> None:
    first, other = answer("f1", 3, text="Za późno"), answer("f1", 10)
    await world.told(first, other)
    await world.told(other, first)
    await world.told(answer("f1", 9))

    found = await world.feedback("f1")
    assert found is not None
    assert (found["score"], found["conflicts"]) == (3, 2)
    assert (await world.metric("nps"))["histogram"] == {"3": 1}
    letters = await world.scores.dead_letters("conflict", 50, None)
    assert letters["total"] == 3
    assert {letter["id"] for letter in letters["items"]} == {fact_of("f1")}
    assert {letter["source"] for letter in letters["items"]} == {"shop"}
    topic = (await world.reconciliation())["topics"]["petla.feedback"]
    assert topic == {"read": 5, "new": 1, "duplicates": 1, "conflicts": 3, "rejected": {}, "lost": 0}


async def test_an_answer_and_a_retraction_of_one_revision_are_a_conflict(world: World) -> None:
    await world.told(answer("f1", 3, 1), retraction("f1", 1))
    found = await world.feedback("f1")
    assert found is not None
    assert (found["score"], found["retracted"], found["conflicts"]) == (3, False, 1)


async def test_the_time_of_sending_is_no_content(world: World) -> None:
    await world.told(answer("f1", 3), answer("f1", 3, time=ANSWERED.replace(hour=12)))
    found = await world.feedback("f1")
    assert found is not None
    assert (found["conflicts"], found["time"]) == (0, "2026-11-20T10:00:00Z")


async def test_the_same_name_from_two_senders_is_two_answers(world: World) -> None:
    await world.told(answer("f1", 3), answer("f1", 10, sender="till"))
    assert (await world.metric("nps"))["histogram"] == {"3": 1, "10": 1}


async def test_activity_is_a_register_too(world: World) -> None:
    def total(amount: int, revision: int = 0) -> NewRecord:
        return activity("order.placed.v1", "o1", revision, order_id="o1", total={"amount": amount, "currency": "PLN"})

    await world.told(total(300, 2), total(100))
    await world.told(total(100), total(200, 1), total(999, 1))
    rows = await world.rows("SELECT revision, superseded_at IS NULL FROM activity ORDER BY revision")
    assert rows == [(0, False), (1, False), (2, True)]
    topic = (await world.reconciliation())["topics"]["petla.activity"]
    assert (topic["new"], topic["duplicates"], topic["conflicts"]) == (3, 1, 1)


async def test_a_comment_is_kept_and_in_no_number(world: World) -> None:
    await world.told(answer("f1", None, metric="comment", text="Dziękuję"))
    found = await world.feedback("f1")
    assert found is not None
    assert (found["metric"], found["score"], found["group"]) == ("comment", None, None)
    assert await world.rows("SELECT count(*) FROM rollup") == [(0,)]


async def test_what_was_scored_is_told_with_its_group(world: World) -> None:
    told: dict[str, Any] = {"customer": "c-1", "order_id": "o-9", "submission_id": "s-1", "text": "Za późno"}
    await world.told(answer("low", 6, **told), answer("high", 9, **told), answer("csat", 2, metric="csat", scale_max=7))
    by_score = {found.score: found for found in world.published()}
    assert {score: found.group for score, found in by_score.items()} == {6: "detractor", 9: "promoter", 2: "detractor"}
    low, high = by_score[6], by_score[9]
    assert (low.feedback, low.customer, low.order_id, low.submission_id, low.text) == (fact_of("low"), *told.values())
    assert high.text is None  # nobody calls back a promoter
    assert (by_score[2].scale_min, by_score[2].scale_max) == (1, 7)
