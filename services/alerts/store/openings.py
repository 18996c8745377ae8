"""New follow-ups: the row, its first event, who is to be told, and the feedback that keeps it alive, in one statement.

A small batch is mostly what its statements cost, and nearly all that alerts does is to open.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.changes import Change
from services.alerts.models import Followup, FollowupEvent, Notification
from services.alerts.store.journal import event_row, notification_row
from shared.statements import fetch

_DIALECT = PGDialect()  # type: ignore[no-untyped-call]


class _Rows:
    """Rows of a table as arrays, one a column, from the parameter `first` on."""

    def __init__(self, table: Table, names: Sequence[str], first: int) -> None:
        self.names = names
        types = [table.c[name].type.compile(_DIALECT) for name in names]
        arrays = ", ".join(f"${first + at}::{type_}[]" for at, type_ in enumerate(types))
        self.columns = ", ".join(names)
        self.source = f"unnest({arrays}) AS v({self.columns})"

    def arrays(self, rows: Sequence[dict[str, Any]]) -> list[list[Any]]:
        return [[row[name] for row in rows] for name in self.names]


def _table(model: Any) -> Table:
    table: Table = model.metadata.tables[model.__tablename__]
    return table


_FOLLOWUPS = _Rows(_table(Followup), [column.name for column in _table(Followup).c], 1)
_EVENTS = _Rows(_table(FollowupEvent), ("followup_id", "version", "kind", "at", "value"), 1 + len(_FOLLOWUPS.names))
_NOTIFICATIONS = _Rows(
    _table(Notification),
    ("id", "followup_id", "version", "channel", "state", "attempts", "next_at", "created_at"),
    1 + len(_FOLLOWUPS.names) + len(_EVENTS.names),
)
# A submission that somebody else opened a moment ago is waited for, and then nothing is inserted.
_OPEN = f"""
    WITH opened AS (
        INSERT INTO followup ({_FOLLOWUPS.columns}) SELECT {_FOLLOWUPS.columns} FROM {_FOLLOWUPS.source}
        ON CONFLICT DO NOTHING RETURNING id, feedback),
    written AS (
        INSERT INTO followup_event ({_EVENTS.columns})
        SELECT v.* FROM {_EVENTS.source} JOIN opened ON opened.id = v.followup_id),
    told AS (
        INSERT INTO notification ({_NOTIFICATIONS.columns})
        SELECT v.* FROM {_NOTIFICATIONS.source} JOIN opened ON opened.id = v.followup_id),
    kept AS (
        UPDATE seen_feedback seen SET keeps = opened.id FROM opened WHERE seen.feedback = opened.feedback)
    SELECT id FROM opened"""


async def insert(changes: Sequence[Change], notify: bool, tx: AsyncConnection) -> set[UUID]:
    """The ids that went in; the others found their submission taken. Sorted, so that two batches cannot deadlock.

    `notify`: somebody outside is told of them.
    """
    ordered = sorted(changes, key=lambda change: (str(change.followup.submission), change.followup.id))
    rows = await fetch(
        tx,
        _OPEN,
        *_FOLLOWUPS.arrays([change.followup.model_dump() for change in ordered]),
        *_EVENTS.arrays([event_row(change) for change in ordered]),
        *_NOTIFICATIONS.arrays([notification_row(change) for change in ordered if notify]),
    )
    return {id_ for (id_,) in rows}
