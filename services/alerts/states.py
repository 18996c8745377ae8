"""The states of a follow-up and who may move it: one table. Pure.

`withdrawn` is not reached by an action of a person: it follows the feedback (`answers.py`).
"""

from typing import Literal

from shared.events.followups import State

Action = Literal["claim", "attempt", "reach", "comment", "resolve", "reopen"]
Outcome = Literal["no_answer", "left_message", "reached"]

# Nobody has tried since it was opened or reopened: the deadline of the first attempt runs.
UNATTEMPTED: tuple[State, ...] = ("new", "assigned")

# Not resolved yet, and not withdrawn.
OPEN: tuple[State, ...] = (*UNATTEMPTED, "attempted", "reached")

# The event that each action leaves behind.
KINDS: dict[Action, str] = {
    "claim": "assigned",
    "attempt": "attempted",
    "reach": "reached",
    "comment": "commented",
    "resolve": "resolved",
    "reopen": "reopened",
}
_STEPS: dict[tuple[Action, State], State] = {
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


def reached(action: Action, state: State, outcome: Outcome | None = None) -> State | None:
    """The state after the action, None where the state does not allow it."""
    if action == "comment":
        return state
    allowed = _STEPS.get((action, state))
    return "reached" if allowed and outcome == "reached" else allowed


def allowed_from(action: Action) -> list[State]:
    """The states that an action is allowed in; a comment is in any."""
    return [state for known, state in _STEPS if known == action]
