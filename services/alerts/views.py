"""What the API answers with. Times are UTC."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.alerts import examples
from services.alerts.models import Notification
from services.alerts.rules import Rule
from services.alerts.store.lists import Listed
from services.alerts.timeline import Entry
from shared.events.followups import FollowupChanged, Priority, State


class FollowupView(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": examples.FOLLOWUP})

    id: UUID
    version: int
    state: State
    priority: Priority
    feedback: UUID
    customer: str | None
    order_id: str | None
    metric: str | None
    score: float | None
    text: str | None
    opened_at: datetime
    first_attempt_due: datetime
    overdue: bool
    assignee: str | None
    level: int
    root_cause: str | None
    action: str | None
    rule: str


class Contact(BaseModel):
    name: str | None
    phone: str | None
    email: str | None
    language: str | None


class TimelineEntry(BaseModel):
    at: datetime
    kind: str
    ref: str
    text: str


class HistoryEntry(BaseModel):
    version: int
    at: datetime
    by: str
    type: str
    note: str | None
    channel: str | None
    outcome: str | None
    root_cause: str | None
    action: str | None


class FollowupDetail(FollowupView):
    model_config = ConfigDict(json_schema_extra={"example": examples.DETAIL})

    contact: Contact
    timeline: list[TimelineEntry]
    history: list[HistoryEntry]


class FollowupPage(BaseModel):
    model_config = ConfigDict(json_schema_extra={"example": examples.PAGE})

    items: list[FollowupView]
    next_cursor: str | None
    total: int


class NotificationView(BaseModel):
    id: UUID
    followup_id: UUID
    version: int
    channel: str
    state: str
    attempts: int
    next_at: datetime | None
    last_status: int | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


class NotificationPage(BaseModel):
    items: list[NotificationView]
    next_cursor: str | None
    total: int


class RuleView(BaseModel):
    id: str
    name: str
    opens_for: str
    suppresses: list[str]


class RulePage(BaseModel):
    items: list[RuleView]
    total: int


def followup(listed: Listed) -> FollowupView:
    return FollowupView(**_shown(listed))


def detail(
    listed: Listed,
    contact: dict[str, str | None],
    entries: Sequence[Entry],
    history: Sequence[tuple[str, FollowupChanged]],
) -> FollowupDetail:
    return FollowupDetail(
        **_shown(listed),
        contact=Contact(**contact),
        timeline=[TimelineEntry(**entry._asdict()) for entry in entries],
        history=[_history_entry(kind, told) for kind, told in history],
    )


def notification(row: Notification) -> NotificationView:
    """`next_at` only of what is still to be sent."""
    shown = row.model_dump()
    return NotificationView(**{**shown, "next_at": shown["next_at"] if row.state == "pending" else None})


def rule(one: Rule) -> RuleView:
    return RuleView(**one._asdict())


def _shown(listed: Listed) -> dict[str, Any]:
    return {**listed.followup.model_dump(), "overdue": listed.overdue}


def _history_entry(kind: str, told: FollowupChanged) -> HistoryEntry:
    fields = {name: getattr(told, name) for name in HistoryEntry.model_fields if name != "type"}
    return HistoryEntry(type=kind, **fields)
