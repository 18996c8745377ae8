"""What happened to follow-ups, and who has to be told: append-only, written with the row it is about."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts import records
from services.alerts.changes import Change
from services.alerts.models import FollowupEvent, Notification
from services.alerts.store import followups
from shared.events.envelope import fact_id
from shared.events.followups import FollowupChanged

_EVENT = FollowupEvent.metadata.tables["followup_event"]
_NOTIFICATION = Notification.metadata.tables["notification"]

NOTIFIED = ("opened", "overdue")
WEBHOOK = "webhook"


async def move(changes: Sequence[Change], notify: bool, tx: AsyncConnection) -> None:
    """Existing rows move on, with their events. `notify`: somebody outside is told of what is in NOTIFIED."""
    if not changes:
        return
    await followups.update([change.followup for change in changes], tx)
    await tx.execute(sa.insert(_EVENT), [event_row(change) for change in changes])
    told = [notification_row(change) for change in changes if notify and change.kind in NOTIFIED]
    if told:
        await tx.execute(sa.insert(_NOTIFICATION), told)


async def history(followup_id: UUID, tx: AsyncConnection) -> list[tuple[str, FollowupChanged]]:
    """Every step, the first one first."""
    rows = await tx.execute(
        sa.select(_EVENT.c.kind, _EVENT.c.value).where(_EVENT.c.followup_id == followup_id).order_by(_EVENT.c.version)
    )
    return [(kind, records.told_by(value)) for kind, value in rows]


def event_row(change: Change) -> dict[str, Any]:
    return {
        "followup_id": change.followup.id,
        "version": change.told.version,
        "kind": change.kind,
        "at": change.told.at,
        "value": records.step(change.kind, change.told, change.traceparent),
    }


def notification_row(change: Change) -> dict[str, Any]:
    event_id = records.step_event_id(change.followup.id, change.told.version)
    return {
        "id": fact_id("notification", WEBHOOK, str(event_id)),
        "followup_id": change.followup.id,
        "version": change.told.version,
        "channel": WEBHOOK,
        "state": "pending",
        "attempts": 0,
        "next_at": change.told.at,
        "created_at": change.told.at,
    }
