"""One step of a follow-up: its row moves on by one version, and exactly one event says what happened.

Nothing here writes; `store.journal` writes rows and events together.
"""

from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from services.alerts import rules
from services.alerts.models import Followup
from services.alerts.records import PETLA
from services.alerts.sla import first_attempt_due
from shared.events.envelope import fact_id
from shared.events.followups import FollowupChanged, Priority, State
from shared.events.scores import FeedbackScored

# These events say who and what, so that whoever is told needs to ask nobody.
_DESCRIBED = ("opened", "overdue")


class Change(NamedTuple):
    followup: Followup
    kind: str
    told: FollowupChanged
    traceparent: str | None = None


def changed(followup: Followup, kind: str, at: datetime, by: str, **details: Any) -> Change:
    """The next version of the row, which the caller has already altered, and its event."""
    followup.version += 1
    told = FollowupChanged(
        followup_id=str(followup.id),
        version=followup.version,
        feedback=str(followup.feedback),
        at=at,
        by=by,
        state=cast(State, followup.state),
        **(_description(followup) if kind in _DESCRIBED else {}),
        **details,
    )
    return Change(followup, kind, told)


def _description(followup: Followup) -> dict[str, Any]:
    return {
        "customer": followup.customer,
        "order_id": followup.order_id,
        "metric": followup.metric,
        "score": followup.score,
        "scale_min": followup.scale_min,
        "scale_max": followup.scale_max,
        "priority": cast(Priority, followup.priority),
        "first_attempt_due": followup.first_attempt_due,
    }


def opened(answer: FeedbackScored, submission: UUID | None, at: datetime, hours: float, order_value: int) -> Change:
    """A follow-up of its own. Its id derives from the feedback and the rule: opened twice, it is the same one."""
    followup = Followup(
        id=fact_id("followup", rules.RULE, answer.feedback),
        feedback=UUID(answer.feedback),
        submission=submission,
        rule=rules.RULE,
        version=0,
        state="new",
        priority="normal",
        opened_at=at,
        first_attempt_due=first_attempt_due(at, hours),
    )
    describe(followup, answer, order_value)
    return changed(followup, "opened", at, PETLA)


def describe(followup: Followup, answer: FeedbackScored, order_value: int) -> None:
    """Let the follow-up speak of this answer."""
    followup.customer, followup.order_id = answer.customer, answer.order_id
    followup.metric, followup.score, followup.text = answer.metric, answer.score, answer.text
    followup.scale_min, followup.scale_max = answer.scale_min, answer.scale_max
    followup.priority = rules.priority(
        answer.metric, answer.score, (answer.scale_min, answer.scale_max), answer.customer, order_value
    )


def back_to_new(followup: Followup, at: datetime, hours: float, note: str | None) -> Change:
    """A withdrawn follow-up is needed again: as if it had been opened now, by nobody's hands."""
    followup.state, followup.assignee, followup.opened_at = "new", None, at
    restart_deadline(followup, at, hours)
    return changed(followup, "opened", at, PETLA, note=note)


def restart_deadline(followup: Followup, at: datetime, hours: float) -> None:
    followup.first_attempt_due, followup.overdue_at = first_attempt_due(at, hours), None
