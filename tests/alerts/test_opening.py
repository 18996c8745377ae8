"""One follow-up a detractor, one a submission, and a reason for each that has none."""

from datetime import timedelta

from tests.alerts.world import ANSWERED, World, activity, feedback_id, scored
from tests.round_trips import statements


async def test_a_detractor_gets_a_follow_up_and_a_promoter_none(world: World) -> None:
    await world.told(scored("low", score=3, customer="c-1", order_id="o-9"), scored("high", score=9))

    assert await world.states() == {feedback_id("low"): "new"}
    followup = await world.followup("low")
    assert followup["version"] == 1
    assert followup["priority"] == "high"
    assert followup["rule"] == "detractor@1"
    assert (followup["customer"], followup["order_id"], followup["text"]) == ("c-1", "o-9", "Za późno")
    assert followup["first_attempt_due"] - followup["opened_at"] == timedelta(hours=24)
    assert await world.kinds("low") == ["opened"]
    assert world.woken == 1


async def test_the_same_score_again_changes_nothing(world: World) -> None:
    await world.told(scored("low"), scored("low"))
    await world.told(scored("low"))

    assert await world.kinds("low") == ["opened"]
    tally = await world.rows("SELECT outcome, sum(n)::int AS n FROM consumer_tally GROUP BY 1 ORDER BY 1")
    assert tally == [{"outcome": "duplicate", "n": 2}, {"outcome": "new", "n": 1}]


async def test_answers_of_one_submission_share_a_follow_up_within_a_batch(world: World) -> None:
    await world.told(scored("nps", submission_id="s-1"), scored("csat", submission_id="s-1"))

    assert sorted((await world.states()).values()) == ["new"]
    (suppressed,) = await world.rows("SELECT s.reason, s.joined, f.id FROM suppression s, followup f")
    assert suppressed["reason"] == "same_submission"
    assert suppressed["joined"] == suppressed["id"]


async def test_answers_of_one_submission_share_a_follow_up_across_batches(world: World) -> None:
    await world.told(scored("nps", submission_id="s-1"))
    await world.told(scored("csat", submission_id="s-1"))

    assert await world.states() == {feedback_id("nps"): "new"}
    assert await world.suppressions() == {(feedback_id("csat"), 0, "same_submission")}
    assert await world.kinds("nps") == ["opened"]


async def test_a_submission_belongs_to_its_sender(world: World) -> None:
    await world.told(scored("a", submission_id="s-1"), scored("b", submission_id="s-1", sender="other"))

    assert len(await world.states()) == 2


async def test_old_feedback_is_suppressed(world: World) -> None:
    late = (ANSWERED + timedelta(days=30, seconds=1)).isoformat()
    in_time = (ANSWERED + timedelta(days=30)).isoformat()
    await world.told(scored("late", received_at=late), scored("in time", received_at=in_time))

    assert await world.states() == {feedback_id("in time"): "new"}
    assert await world.suppressions() == {(feedback_id("late"), 0, "too_old")}


async def test_a_customer_who_refuses_contact_is_left_alone(world: World) -> None:
    await world.told(activity("customer.updated.v1", "u1", customer="c-1", consent={"contact": False}))
    await world.told(scored("low"), scored("another", customer="c-2"))

    assert await world.states() == {feedback_id("another"): "new"}
    assert await world.suppressions() == {(feedback_id("low"), 0, "no_contact_consent")}


async def test_consent_merges_by_time_and_survives_updates_that_do_not_mention_it(world: World) -> None:
    hour = timedelta(hours=1)
    await world.told(
        activity("customer.updated.v1", "yes", time=ANSWERED - 3 * hour, customer="c-1", consent={"contact": True}),
        activity("customer.updated.v1", "no", time=ANSWERED - 2 * hour, customer="c-1", consent={"contact": False}),
        activity("customer.updated.v1", "name", time=ANSWERED - hour, customer="c-1", name="Anna"),
        activity("customer.updated.v1", "survey", time=ANSWERED, customer="c-1", consent={"survey": True}),
    )
    await world.told(scored("refused"))
    await world.told(activity("customer.updated.v1", "clear", time=ANSWERED + hour, customer="c-1", consent=None))
    await world.told(scored("allowed"))

    assert await world.states() == {feedback_id("allowed"): "new"}


async def test_a_revision_of_a_customer_update_replaces_it(world: World) -> None:
    await world.told(activity("customer.updated.v1", "u1", customer="c-1", consent={"contact": False}))
    await world.told(activity("customer.updated.v1", "u1", revision=1, customer="c-1", name="Anna"))
    await world.told(scored("low"))

    assert await world.states() == {feedback_id("low"): "new"}


async def test_what_the_customer_bought_lifts_the_priority(world: World) -> None:
    def order(name: str, customer: str, amount: int, currency: str = "PLN") -> dict[str, object]:
        total = {"amount": amount, "currency": currency}
        return activity("order.placed.v1", name, order_id=name, customer=customer, total=total)

    await world.told(
        order("a1", "a", 60_000),
        order("a2", "a", 40_000),
        order("b1", "b", 60_000),
        order("b2", "b", 60_000, "EUR"),
        order("c1", "c", 200_000),
        activity("order.cancelled.v1", "c1x", order_id="c1"),
    )
    await world.told(*(scored(name, score=3, customer=name) for name in "abc"), scored("nobody", customer=None))

    found = {row["customer"]: row["priority"] for row in await world.rows("SELECT customer, priority FROM followup")}
    assert found == {"a": "urgent", "b": "high", "c": "high", None: "low"}


async def test_an_order_whose_cancellation_is_retracted_counts_again(world: World) -> None:
    total = {"amount": 200_000, "currency": "PLN"}
    cancelled = activity("order.cancelled.v1", "c1x", order_id="c1")
    retracted = activity("activity.retracted.v1", "c1x", revision=1, retracts="order.cancelled.v1")
    await world.told(
        activity("order.placed.v1", "c1", order_id="c1", customer="c", total=total),
        cancelled,
        {**retracted, "factid": cancelled["factid"]},
    )
    await world.told(scored("low", score=3, customer="c"))

    (found,) = await world.rows("SELECT priority FROM followup")
    assert found["priority"] == "urgent"


async def test_a_record_that_cannot_be_taken_is_set_aside_and_its_neighbours_count(world: World) -> None:
    broken = scored("broken")
    broken["data"]["feedback"] = "not a uuid"
    await world.told(scored("before"), broken, scored("after"))

    assert len(await world.states()) == 2
    (letter,) = await world.rows("SELECT reason FROM dead_letter")
    assert letter["reason"] == "handler_failed"


async def test_a_batch_that_opens_is_six_statements_and_one_that_does_not_is_four(world: World) -> None:
    await world.told(scored("before", score=3))  # the driver looks types up, once
    await world.tell(scored("low", score=3, customer="c-1"), scored("lower", score=1, customer="c-2"))
    async with statements(world.db) as said:
        await world.consume()
    begun, fence, remembered, standing, opened, committed = said
    assert (begun, committed) == ("BEGIN", "COMMIT")
    assert "UPDATE consumer_offset" in fence
    assert remembered.startswith("INSERT INTO seen_feedback")
    assert "clock_timestamp()" in standing
    assert "INSERT INTO followup " in opened

    await world.tell(scored("high", score=9))
    async with statements(world.db) as said:
        await world.consume()
    assert len(said) == 4
