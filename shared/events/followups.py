"""`petla.followups`: the life of every follow-up, and how far alerts has read. Written by alerts, read by scoring."""

from typing import Literal

from msgspec import Struct

from shared.events.fields import Instant, Name, Text

State = Literal["new", "assigned", "attempted", "reached", "resolved", "confirmed", "disputed", "silent", "withdrawn"]
Priority = Literal["urgent", "high", "normal", "low"]
SuppressionReason = Literal["too_old", "same_submission", "no_contact_consent"]

# What can happen to a follow-up; the event's type is `followup.<kind>.v1`.
KINDS = (
    "opened",
    "assigned",
    "attempted",
    "reached",
    "commented",
    "overdue",
    "escalated",
    "resolved",
    "reopened",
    "withdrawn",
    "confirmed",
    "disputed",
    "silent",
)
SUPPRESSED = "followup.suppressed.v1"
POSITION = "alerts.position.v1"


def event_type(kind: str) -> str:
    return f"followup.{kind}.v1"


class FollowupChanged(Struct, omit_defaults=True):
    """One step of a follow-up; `version` counts its steps from 1. `opened` and `overdue` say who and what."""

    followup_id: str
    version: int
    feedback: str
    at: Instant
    by: Name
    state: State
    note: Text | None = None
    customer: Name | None = None
    order_id: Name | None = None
    metric: Name | None = None
    score: float | None = None
    scale_min: float | None = None
    scale_max: float | None = None
    priority: Priority | None = None
    first_attempt_due: Instant | None = None
    channel: Name | None = None
    outcome: Name | None = None
    root_cause: Name | None = None
    action: Name | None = None


class FollowupSuppressed(Struct, omit_defaults=True):
    """A detractor that opened none of its own; `version` is the feedback's revision, `followup_id` what it joined."""

    feedback: str
    version: int
    reason: SuppressionReason
    at: Instant
    by: Name
    followup_id: str | None = None


class AlertsPosition(Struct):
    """The next offset alerts will read, by topic and partition: scoring learns from it that alerts has no lag."""

    positions: dict[str, dict[str, int]]
    at: Instant


FOLLOWUPS: dict[str, type[Struct]] = {
    **{event_type(kind): FollowupChanged for kind in KINDS},
    SUPPRESSED: FollowupSuppressed,
    POSITION: AlertsPosition,
}
