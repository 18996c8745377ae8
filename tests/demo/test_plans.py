"""Agents do what the API allows, the same for the same customer, and leave work for others."""

from collections import Counter
from typing import Any

import pytest

from services.alerts.states import reached
from services.demo.plans import plan


def followup(number: int, text: str | None = None) -> dict[str, Any]:
    return {"id": str(number), "customer": f"k{number}", "order_id": f"z{number}", "text": text}


@pytest.mark.parametrize("number", range(60))
def test_every_step_is_allowed(number: int) -> None:
    state: Any = "new"
    for step in plan(followup(number), 1):
        state = reached(step.action, state, step.body.get("outcome"))  # type: ignore[arg-type]
        assert state, step


def test_some_are_left_some_are_under_way_some_are_done() -> None:
    ends = Counter(steps[-1].action if (steps := plan(followup(n), 1)) else "left" for n in range(1_000))
    assert 180 < ends["left"] < 300
    assert ends["resolve"] > 300
    assert 30 < ends["reopen"] < 90
    assert ends["attempt"] > 100


def test_the_same_customer_gets_the_same_plan_whichever_answer_spoke_first() -> None:
    one = followup(3)
    assert plan(one, 1) == plan({**one, "id": "other"}, 1)


@pytest.mark.parametrize(("text", "is_about_delay"), [("Paczka spóźniona o 3 dni", True), ("Faktura z błędem", False)])
def test_the_cause_is_about_what_was_written(text: str, is_about_delay: bool) -> None:
    causes = {
        step.body["root_cause"]
        for number in range(100)
        for step in plan(followup(number, text), 1)
        if step.action == "resolve"
    }
    assert len(causes) > 1
    assert causes <= {"spóźniony kurier", "brak informacji o opóźnieniu"} or not is_about_delay
    assert is_about_delay or not causes & {"spóźniony kurier", "brak informacji o opóźnieniu"}
