"""The fact table of answers: inserting revisions, reading histories, and what must be published again."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Raw
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.rollups import FEEDBACK_DIMENSIONS, Graded, Revision
from services.scoring.store.registers import copy_binary

COLUMNS = (
    "superseded_at",
    "sender",
    "partition",
    "revision",
    "retracted",
    "metric",
    "direction",
    "score",
    "scale_min",
    "scale_max",
    "group_name",
    "id",
    "content",
    "time",
    "received_at",
    "data",
)
_DIMENSIONS = ", ".join("sender" if name == "source" else f"data ->> '{name}'" for name in FEEDBACK_DIMENSIONS)
_HISTORY = text(f"""
    SELECT id, revision, retracted, metric, direction, score, scale_min, scale_max, group_name,
        CAST(extract(epoch FROM time) AS float8), {_DIMENSIONS}
    FROM feedback WHERE id = ANY(CAST(:ids AS uuid[]))""")
_RECORDED_SINCE = text("""
    SELECT id, revision, retracted, sender, time, received_at, group_name, CAST(data AS text) FROM feedback
    WHERE recorded_at >= :since AND partition = :partition AND superseded_at IS NULL""")


class Recorded(NamedTuple):
    """A current row as it is published; `data` is JSON text."""

    id: UUID
    revision: int
    retracted: bool
    sender: str
    time: datetime
    received_at: datetime
    group: str | None
    data: str


async def insert(rows: Iterable[bytes | Raw], tx: AsyncConnection) -> None:
    """Rows in the order of COLUMNS, packed; fails on a second row of a revision, or a second current one."""
    await copy_binary("feedback", COLUMNS, rows, tx)


async def histories(ids: Collection[str], tx: AsyncConnection) -> dict[str, list[Revision]]:
    """Every known revision of these feedbacks."""
    found: dict[str, list[Revision]] = {}
    for id_, *rest in await tx.execute(_HISTORY, {"ids": list(ids)}):
        revision, retracted, *graded = rest[:8]
        found.setdefault(str(id_), []).append(
            Revision(revision, retracted, Graded._make(graded), rest[8], tuple(rest[9:]))
        )
    return found


async def recorded_since(partition: int, since: datetime, tx: AsyncConnection) -> list[Recorded]:
    """Current rows that a batch of this partition has recorded since then."""
    return [Recorded._make(row) for row in await tx.execute(_RECORDED_SINCE, {"partition": partition, "since": since})]
