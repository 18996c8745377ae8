"""What alerts tells of its follow-ups: merged alike in every order, counted by cohort of their opening."""

import itertools
from datetime import timedelta
from typing import Any

from shared.log.port import NewRecord
from tests.builders import ANSWERED, answer, fact_of, retraction
from tests.scoring.world import World, step, suppressed

HOUR = timedelta(hours=1)
OPENED: dict[str, Any] = {
    "priority": "high", "metric": "nps", "score": 3, "scale_min": 0, "scale_max": 10,
    "first_attempt_due": ANSWERED + 24 * HOUR,
}  # fmt: skip


def life(name: str) -> list[NewRecord]:
    return [
        step("opened", name, 1, "new", at=ANSWERED, **OPENED),
        step("withdrawn", name, 2, "withdrawn", at=ANSWERED + HOUR),
        step("opened", name, 3, "new", at=ANSWERED + 2 * HOUR, **OPENED | {"priority": "urgent", "score": 1}),
        step("assigned", name, 4, "assigned", at=ANSWERED + 3 * HOUR),
        step("attempted", name, 5, "attempted", at=ANSWERED + 4 * HOUR),
        step("attempted", name, 6, "attempted", at=ANSWERED + 5 * HOUR),
        step("resolved", name, 7, "resolved", at=ANSWERED + 6 * HOUR),
        step("reopened", name, 8, "assigned", at=ANSWERED + 7 * HOUR, first_attempt_due=ANSWERED + 31 * HOUR),
    ]


async def test_every_order_and_repetition_of_the_steps_merges_the_same(world: World) -> None:
    orders = list(itertools.permutations(life("f1")))[:: 40320 // 24]
    for order in orders:
        await world.execute("DELETE FROM followup")
        await world.told(*order[:3])
        await world.told(order[1], *order[3:], order[4])
        ((state, version, opened_version, opened_at, attempt, due, priority, score, feedback),) = await world.rows(
            "SELECT state, version, opened_version, opened_at, first_attempt_at, first_attempt_due, priority, score,"
            " CAST(feedback AS text) FROM followup"
        )
        assert (state, version, opened_version, due) == ("assigned", 8, 3, ANSWERED + 31 * HOUR)
        assert (opened_at, attempt) == (ANSWERED + 2 * HOUR, ANSWERED + 4 * HOUR)
        assert (priority, score, feedback) == ("urgent", 10, fact_of("f1"))


async def test_the_numbers_of_the_loop(world: World) -> None:
    names = ["a", "b", "c", "d", "old", "silent"]
    await world.told(
        *(answer(name, 3, channel="sms" if name == "a" else "email") for name in names), answer("happy", 9)
    )
    steps = [step("opened", name, 1, "new", at=ANSWERED, **OPENED) for name in "abcd"]
    await world.told(
        *steps,
        step("attempted", "a", 2, "attempted", at=ANSWERED + HOUR),
        step("resolved", "a", 3, "resolved", at=ANSWERED + 9 * HOUR),
        step("reached", "b", 2, "reached", at=ANSWERED + 3 * HOUR),
        step("attempted", "c", 2, "attempted", at=ANSWERED + 8 * HOUR),
        suppressed("old", "too_old"),
    )
    coverage = await world.metric("followup_coverage")
    assert coverage["value"] == 100 * 4 / 6
    assert coverage["counts"] == {"followup": 4, "too_old": 1, "missing": 1}
    closed = await world.metric("close_rate", group_by="channel")
    assert (closed["value"], closed["n"]) == (25.0, 4)
    assert [(group["key"]["channel"], group["value"]) for group in closed["groups"]] == [("email", 0.0), ("sms", 100.0)]
    first = await world.metric("time_to_first_attempt")
    assert (first["value"], first["n"], first["unit"], first["interval"]) == (3.0, 3, "hours", None)


async def test_the_state_is_shown_with_its_feedback(world: World) -> None:
    await world.told(answer("f1", 3), step("opened", "f1", 1, "new", **OPENED))
    found = await world.feedback("f1")
    assert found is not None
    assert found["followup"]["state"] == "new"


async def test_a_withdrawn_one_covers_nothing_and_a_changed_mind_needs_none(world: World) -> None:
    await world.told(answer("f1", 3), step("opened", "f1", 1, "new", **OPENED))
    assert (await world.metric("followup_coverage"))["counts"] == {"followup": 1, "missing": 0}
    await world.told(answer("f1", 10, 1), step("withdrawn", "f1", 2, "withdrawn"))
    assert (await world.metric("followup_coverage"))["n"] == 0
    await world.told(answer("f1", 2, 2))
    assert (await world.metric("followup_coverage"))["counts"] == {"followup": 0, "missing": 1}


async def test_a_follow_up_keeps_the_dimensions_of_an_answer_that_was_taken_back(world: World) -> None:
    await world.told(answer("f1", 3, channel="sms"), step("opened", "f1", 1, "new", **OPENED), retraction("f1", 1))
    closed = await world.metric("close_rate", filters={"channel": ["sms"]})
    assert closed["n"] == 1


async def test_a_follow_up_may_come_before_its_feedback(world: World) -> None:
    await world.told(step("opened", "f1", 1, "new", **OPENED))
    assert (await world.metric("close_rate"))["n"] == 1
    await world.told(answer("f1", 3))
    assert (await world.metric("followup_coverage"))["counts"] == {"followup": 1, "missing": 0}
