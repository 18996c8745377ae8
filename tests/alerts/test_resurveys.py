"""Asked again after a follow-up, the customer confirms that it is closed or disputes it; a second one is not opened."""

from typing import Any
from uuid import UUID

import pytest

from tests.alerts.running import RunningAlerts
from tests.alerts.world import activity, feedback_id, scored


async def resolved(alerts: RunningAlerts, name: str = "one") -> str:
    """The id of a follow-up that somebody has dealt with."""
    await alerts.told(scored(name))
    await alerts.act(name, "claim", 1)
    await alerts.act(name, "attempt", 2, channel="phone", outcome="reached")
    await alerts.act(name, "resolve", 3, root_cause="courier", action="refund")
    return str((await alerts.followup(name))["id"])


def again(about: str, score: float | None, revision: int = 0, **data: Any) -> dict[str, Any]:
    return scored("again", revision, score, followup_id=about, **data)


async def last(alerts: RunningAlerts, id_: str) -> dict[str, Any]:
    await alerts.relay.run_once()
    events = [event for event in alerts.published() if event["data"].get("followup_id") == id_]
    return max((event["data"] for event in events if event["type"] != "followup.suppressed.v1"), key=_version)


def _version(data: dict[str, Any]) -> int:
    return int(data["version"])


@pytest.mark.parametrize(("score", "group"), [(9, "promoter"), (7, "passive"), (5, "positive")])
async def test_a_happy_answer_confirms_what_was_resolved(alerts: RunningAlerts, score: int, group: str) -> None:
    about = await resolved(alerts)
    await alerts.told(again(about, score, group=group))
    assert await alerts.states() == {feedback_id("one"): "confirmed"}
    assert await alerts.kinds("one") == ["opened", "assigned", "attempted", "resolved", "confirmed"]
    told = await last(alerts, about)
    assert (told["state"], told["note"]) == ("confirmed", f"the customer answered the survey after it: nps {score}")
    assert await alerts.suppressions() == set()


async def test_an_unhappy_answer_disputes_it_and_opens_it_again_one_level_up(alerts: RunningAlerts) -> None:
    about = await resolved(alerts)
    before = await alerts.followup("one")
    await alerts.told(again(about, 2))
    assert await alerts.states() == {feedback_id("one"): "assigned"}
    assert (await alerts.kinds("one"))[4:] == ["disputed", "reopened"]
    after = await alerts.followup("one")
    assert (after["level"], after["root_cause"], after["assignee"]) == (1, None, "anna")
    assert after["first_attempt_due"] > before["first_attempt_due"]
    assert await alerts.suppressions() == {(feedback_id("again"), 0, "same_submission")}


async def test_whoever_confirmed_may_still_dispute(alerts: RunningAlerts) -> None:
    about = await resolved(alerts)
    await alerts.told(again(about, 9))
    await alerts.told(again(about, 1, revision=1))
    assert await alerts.states() == {feedback_id("one"): "assigned"}
    assert (await alerts.kinds("one"))[4:] == ["confirmed", "disputed", "reopened"]


async def test_while_it_is_open_an_answer_joins_its_history(alerts: RunningAlerts) -> None:
    await alerts.told(scored("one"))
    about = str((await alerts.followup("one"))["id"])
    await alerts.told(again(about, 2))
    await alerts.told(again(about, 9, revision=1))
    assert await alerts.states() == {feedback_id("one"): "new"}
    assert await alerts.kinds("one") == ["opened", "commented", "commented", "commented"]
    await alerts.told(again(about, 9, revision=1))
    assert len(await alerts.kinds("one")) == 4


async def test_an_unhappy_answer_that_is_changed_is_told_once_each_time(alerts: RunningAlerts) -> None:
    await alerts.told(scored("one"))
    about = str((await alerts.followup("one"))["id"])
    await alerts.told(again(about, 2))
    await alerts.told(again(about, 1, revision=1))
    assert await alerts.kinds("one") == ["opened", "commented", "commented"]


async def test_an_answer_that_is_neither_is_only_told(alerts: RunningAlerts) -> None:
    about = await resolved(alerts)
    await alerts.told(again(about, 3, group="neutral"))
    assert await alerts.states() == {feedback_id("one"): "resolved"}
    assert (await alerts.kinds("one"))[4:] == ["commented"]


async def test_an_answer_that_is_taken_back_changes_nothing(alerts: RunningAlerts) -> None:
    about = await resolved(alerts)
    await alerts.told(again(about, None, revision=1))
    assert (await alerts.kinds("one"))[4:] == []


@pytest.mark.parametrize(
    "about", ["no-id", "00000000-0000-4000-8000-000000000000", "ONE OF SOMEBODY ELSE", "WITHDRAWN"]
)
async def test_what_names_no_follow_up_of_this_customer_opens_one(alerts: RunningAlerts, about: str) -> None:
    other = "c-1" if about == "WITHDRAWN" else "c-2"
    await alerts.told(scored("one", customer=other))
    if about == "WITHDRAWN":
        await alerts.told(scored("one", 1, score=9, customer=other))
    if about.isupper():
        about = str((await alerts.followup("one"))["id"])
    await alerts.told(again(about, 2))
    assert (await alerts.states())[feedback_id("again")] == "new"


async def test_who_does_not_want_to_be_contacted_is_not_called_again(alerts: RunningAlerts) -> None:
    about = await resolved(alerts)
    await alerts.told(activity("customer.updated.v1", "cu", customer="c-1", consent={"contact": False}))
    await alerts.told(again(about, 2))
    assert await alerts.states() == {feedback_id("one"): "resolved"}
    assert await alerts.suppressions() == {(feedback_id("again"), 0, "no_contact_consent")}


async def test_in_one_batch_with_the_follow_up_it_is_counted_too(alerts: RunningAlerts) -> None:
    """The id of a follow-up derives from its answer, so a sender may know it early: nothing is lost, nothing twice."""
    await alerts.told(scored("one"))
    about = (await alerts.followup("one"))["id"]
    assert isinstance(about, UUID)
    await alerts.told(again(str(about), 2), scored("third", 0, 1, followup_id=str(about)))
    assert await alerts.states() == {feedback_id("one"): "new"}
    assert {reason for _, _, reason in await alerts.suppressions()} == {"same_submission"}
    assert len(await alerts.suppressions()) == 2
