"""The table of the contract, step by step; what is not in it is not allowed."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from services.alerts.sla import first_attempt_due, is_overdue
from services.alerts.states import KINDS, Action, Outcome, allowed_from, reached
from shared.events.followups import KINDS as EVENTS
from shared.events.followups import State

ALLOWED = {
    ("claim", "new"): "assigned",
    ("claim", "assigned"): "assigned",
    ("attempt", "assigned"): "attempted",
    ("attempt", "attempted"): "attempted",
    ("reach", "assigned"): "reached",
    ("reach", "attempted"): "reached",
    ("resolve", "attempted"): "resolved",
    ("resolve", "reached"): "resolved",
    ("reopen", "resolved"): "assigned",
}
ACTIONS: tuple[Action, ...] = get_args(Action)
STATES: tuple[State, ...] = get_args(State)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES)
def test_every_action_in_every_state(action: Action, state: State) -> None:
    expected = state if action == "comment" else ALLOWED.get((action, state))
    assert reached(action, state) == expected
    assert (state in allowed_from(action)) == (expected is not None and action != "comment")


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_an_attempt_that_reaches_the_customer_is_more_than_an_attempt(outcome: Outcome) -> None:
    assert reached("attempt", "assigned", outcome) == ("reached" if outcome == "reached" else "attempted")
    assert reached("attempt", "new", outcome) is None


def test_every_action_leaves_an_event_that_exists() -> None:
    assert set(KINDS) == set(ACTIONS)
    assert set(KINDS.values()) <= set(EVENTS)


def test_the_deadline() -> None:
    opened = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert first_attempt_due(opened, 24) == datetime(2026, 10, 25, 12, tzinfo=UTC)
    assert first_attempt_due(opened, 0.5) == datetime(2026, 10, 24, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("state", STATES)
def test_only_who_was_not_tried_is_overdue(state: State) -> None:
    due = datetime(2026, 10, 24, 12, tzinfo=UTC)
    moment = timedelta(microseconds=1)
    assert is_overdue(state, due, due + moment) == (state in ("new", "assigned"))
    assert not is_overdue(state, due, due)
