"""A follow-up whose feedback changes: the highest revision counts, whatever the order of arrival."""

from typing import Any

import pytest

from tests.alerts.world import World, activity, feedback_id, scored


async def set_state(world: World, name: str, state: str) -> None:
    await world.execute("UPDATE followup SET state = :state WHERE feedback = :id", state=state, id=feedback_id(name))


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"score": None}, "the answer was retracted"),
        ({"score": 9}, "the answer is no longer a detractor (nps 9)"),
    ],
)
async def test_a_new_follow_up_is_withdrawn_when_its_feedback_is_no_detractor_any_more(
    world: World, change: dict[str, Any], note: str
) -> None:
    await world.told(scored("low"))
    await world.told(scored("low", 1, **change))

    assert await world.states() == {feedback_id("low"): "withdrawn"}
    assert await world.kinds("low") == ["opened", "withdrawn"]
    (last,) = await world.rows("SELECT value FROM followup_event WHERE version = 2")
    assert f'"note":"{note}"'.encode() in last["value"]


async def test_it_comes_back_with_a_new_deadline_and_nobody_s_hands_on_it(world: World) -> None:
    await world.told(scored("low"))
    first = await world.followup("low")
    await world.execute("UPDATE followup SET state = 'assigned', assignee = 'anna', overdue_at = now()")
    await world.told(scored("low", 1, score=9))
    await world.told(scored("low", 2, score=0, text="Gorzej"))

    back = await world.followup("low")
    assert (back["state"], back["assignee"], back["overdue_at"]) == ("new", None, None)
    assert (back["score"], back["text"]) == (0, "Gorzej")
    assert back["first_attempt_due"] > first["first_attempt_due"]
    assert await world.kinds("low") == ["opened", "withdrawn", "opened"]


@pytest.mark.parametrize("state", ["attempted", "reached", "resolved"])
async def test_a_later_state_stays_and_gets_a_note(world: World, state: str) -> None:
    await world.told(scored("low"))
    await set_state(world, "low", state)
    await world.told(scored("low", 1, score=None))

    assert await world.states() == {feedback_id("low"): state}
    assert await world.kinds("low") == ["opened", "commented"]


async def test_a_changed_detractor_updates_what_the_follow_up_says(world: World) -> None:
    await world.told(scored("low", score=3))
    await world.told(scored("low", 1, score=6, text="Lepiej"))

    followup = await world.followup("low")
    assert (followup["score"], followup["text"], followup["priority"]) == (6, "Lepiej", "normal")
    assert await world.kinds("low") == ["opened", "commented"]


async def test_an_older_revision_that_comes_later_changes_nothing(world: World) -> None:
    await world.told(scored("low", 2, score=9))
    await world.told(scored("low", 1, score=0))

    assert await world.states() == {}
    assert await world.rows("SELECT * FROM suppression") == []


async def test_of_several_revisions_in_a_batch_only_the_highest_counts(world: World) -> None:
    await world.told(scored("low", 0, score=1), scored("low", 2, score=9), scored("low", 1, score=0))

    assert await world.states() == {}


async def test_a_follow_up_stays_while_another_answer_of_its_submission_needs_it(world: World) -> None:
    await world.told(scored("nps", submission_id="s"))
    await world.told(scored("csat", submission_id="s", text="Też źle"))
    await world.told(scored("nps", 1, score=10, submission_id="s"))
    assert await world.states() == {feedback_id("nps"): "new"}
    assert (await world.followup("nps"))["text"] == "Też źle"

    await world.told(scored("csat", 1, score=10, submission_id="s"))
    assert await world.states() == {feedback_id("nps"): "withdrawn"}
    assert await world.kinds("nps") == ["opened", "commented", "withdrawn"]


async def test_a_later_answer_of_the_submission_brings_a_withdrawn_follow_up_back(world: World) -> None:
    await world.told(scored("nps", submission_id="s"))
    await world.told(scored("nps", 1, score=None, submission_id="s"))
    await world.told(scored("csat", submission_id="s", score=2, text="Też źle"))

    assert await world.states() == {feedback_id("nps"): "new"}
    assert (await world.followup("nps"))["text"] == "Też źle"
    assert await world.suppressions() == {(feedback_id("csat"), 0, "same_submission")}


async def test_a_withdrawn_follow_up_does_not_come_back_for_who_refuses_contact_by_now(world: World) -> None:
    await world.told(scored("low"))
    await world.told(scored("low", 1, score=9))
    await world.told(activity("customer.updated.v1", "no", customer="c-1", consent={"contact": False}))
    await world.told(scored("low", 2, score=1))

    assert await world.states() == {feedback_id("low"): "withdrawn"}
    assert await world.suppressions() == {(feedback_id("low"), 2, "no_contact_consent")}


async def test_what_is_still_suppressed_in_a_later_revision_says_so_again(world: World) -> None:
    await world.told(scored("nps", submission_id="s"))
    await world.told(scored("csat", submission_id="s"))
    await world.told(scored("csat", 3, score=1, submission_id="s"))

    csat = feedback_id("csat")
    assert await world.suppressions() == {(csat, 0, "same_submission"), (csat, 3, "same_submission")}


async def test_an_answer_that_moves_to_a_submission_of_its_own_gets_its_own_follow_up(world: World) -> None:
    await world.told(scored("nps", submission_id="s"))
    await world.told(scored("csat", submission_id="s"))
    await world.told(scored("nps", 1, score=10, submission_id="s"), scored("csat", 1, submission_id="t"))

    assert await world.states() == {feedback_id("nps"): "withdrawn", feedback_id("csat"): "new"}
