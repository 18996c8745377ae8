"""The fact table of answers: inserting revisions, reading histories, and what must be published again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.rollups import FEEDBACK_DIMENSIONS, Revision
from services.scoring.store.registers import columns
from shared.events.feedback import DIMENSIONS

_TYPES = {
    "id": "uuid",
    "revision": "bigint",
    "retracted": "boolean",
    "content": "bytea",
    "score": "integer",
    "scale_min": "integer",
    "scale_max": "integer",
    "time": "timestamptz",
    "received_at": "timestamptz",
    "partition": "integer",
}
COLUMNS = (
    "id",
    "revision",
    "retracted",
    "content",
    "sender",
    "feedback_id",
    "partition",
    "time",
    "received_at",
    "group_name",
    "score",
    "scale_min",
    "scale_max",
    "metric",
    "direction",
    "text",
    "customer",
    "order_id",
    "contact_id",
    "submission_id",
    *DIMENSIONS,
)
_ARRAYS = ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'text')}[])" for name in COLUMNS)
_INSERT = text(f"""
    INSERT INTO feedback ({", ".join(COLUMNS)}, superseded_at)
    SELECT {", ".join(COLUMNS)}, CASE WHEN superseded THEN now() END
    FROM unnest({_ARRAYS}, CAST(:superseded AS boolean[])) AS v({", ".join(COLUMNS)}, superseded)""")

_DIMENSION_COLUMNS = ", ".join("sender" if name == "source" else name for name in FEEDBACK_DIMENSIONS)
_HISTORY = text(f"""
    SELECT id, revision, retracted, metric, score, scale_min, scale_max, direction, time, {_DIMENSION_COLUMNS}
    FROM feedback WHERE id = ANY(CAST(:ids AS uuid[]))""")

SCORED_COLUMNS = (
    "id, revision, retracted, sender, time, received_at, metric, score, scale_min, scale_max, group_name, text,"
    " journey_stage, customer, order_id, submission_id"
)
_RECORDED_SINCE = text(f"""
    SELECT {SCORED_COLUMNS} FROM feedback
    WHERE recorded_at >= :since AND partition = :partition AND superseded_at IS NULL""")


async def insert(rows: Sequence[Sequence[Any]], superseded: Sequence[bool], tx: AsyncConnection) -> None:
    """`rows` in the order of COLUMNS; fails on a second row of a revision, or a second current one of a fact."""
    await tx.execute(_INSERT, {**columns(COLUMNS, rows), "superseded": list(superseded)})


async def histories(ids: Collection[UUID], tx: AsyncConnection) -> dict[UUID, list[Revision]]:
    """Every known revision of these feedbacks."""
    found: dict[UUID, list[Revision]] = {}
    for id_, *rest in await tx.execute(_HISTORY, {"ids": list(ids)}):
        found.setdefault(id_, []).append(Revision._make([*rest[:8], rest[8:]]))
    return found


async def recorded_since(partition: int, since: datetime, tx: AsyncConnection) -> list[Any]:
    """Current rows that a batch of this partition has recorded since then, with SCORED_COLUMNS."""
    return list(await tx.execute(_RECORDED_SINCE, {"partition": partition, "since": since}))
