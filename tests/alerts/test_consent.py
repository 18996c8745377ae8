"""Consent that is taken back holds from then on: nobody acts on what is open, and it is still accounted for."""

from datetime import timedelta
from typing import Any

from tests.alerts.running import RunningAlerts
from tests.alerts.world import ANSWERED, World, activity, feedback_id, scored

NOTE = "the customer does not want to be contacted"


def says(contact: bool | None, minute: int, name: str = "cu") -> dict[str, Any]:
    """`None` says nothing about it."""
    told: dict[str, Any] = {} if contact is None else {"consent": {"contact": contact}}
    time = ANSWERED + timedelta(minutes=minute)
    return activity("customer.updated.v1", f"{name}-{minute}", time=time, customer="c-1", **told)


async def test_what_nobody_has_tried_yet_is_withdrawn_and_accounted_for(world: World) -> None:
    await world.told(scored("one", submission_id="s"))
    await world.told(scored("joined", submission_id="s"), scored("other", customer="c-2"))
    await world.told(says(False, 1))
    assert await world.states() == {feedback_id("one"): "withdrawn", feedback_id("other"): "new"}
    assert await world.suppressions() == {
        (feedback_id("one"), 0, "no_contact_consent"),
        (feedback_id("joined"), 0, "same_submission"),
    }
    await world.relay.run_once()
    withdrawn = [event["data"] for event in world.published() if event["type"] == "followup.withdrawn.v1"]
    assert [(one["note"], one["by"]) for one in withdrawn] == [(NOTE, "petla")]


async def test_who_was_still_to_be_told_outside_is_not(world: World) -> None:
    world.settings = world.settings.model_copy(update={"webhook_url": "http://127.0.0.1:9/"})
    await world.worker.stop()
    world.worker = world.new_worker()
    await world.told(scored("one"), scored("other", customer="c-2"))
    await world.told(says(False, 1))
    rows = await world.rows("""
        SELECT f.customer, n.state, n.last_error FROM notification n JOIN followup f ON f.id = n.followup_id
        ORDER BY f.customer""")
    assert [tuple(row.values()) for row in rows] == [("c-1", "dead", NOTE), ("c-2", "pending", None)]


async def test_once_somebody_has_tried_it_stays_with_one_note(alerts: RunningAlerts) -> None:
    await alerts.told(scored("one"))
    await alerts.act("one", "claim", 1)
    await alerts.act("one", "attempt", 2, channel="phone", outcome="no_answer")
    await alerts.told(says(False, 1))
    await alerts.told(says(False, 2))
    assert (await alerts.followup("one"))["state"] == "attempted"
    assert await alerts.kinds("one") == ["opened", "assigned", "attempted", "commented"]


async def test_only_the_newest_word_counts(world: World) -> None:
    await world.told(scored("one"))
    await world.told(says(True, 5))
    await world.told(says(False, 1))  # older, and late
    await world.told(says(None, 9))
    assert await world.states() == {feedback_id("one"): "new"}


async def test_a_new_answer_after_consent_was_given_again_is_acted_on(world: World) -> None:
    await world.told(scored("one"))
    await world.told(says(False, 1))
    await world.told(says(True, 2))
    assert await world.states() == {feedback_id("one"): "withdrawn"}
    await world.told(scored("one", 1, score=2))
    assert await world.states() == {feedback_id("one"): "new"}


async def test_a_repetition_changes_nothing(world: World) -> None:
    await world.told(scored("one"))
    await world.told(says(False, 1))
    await world.told(says(False, 1))
    assert await world.kinds("one") == ["opened", "withdrawn"]
