"""Follow-ups as rows that are locked, opened and moved on. Rows are always locked in the order of their ids."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.models import Followup
from shared.statements import fetch

_FOLLOWUP = Followup.metadata.tables["followup"]

_CLOCK = text("SELECT clock_timestamp()")
# By name: what a later version adds to the table is none of this one's, and changes no answer that is prepared.
_COLUMNS = ", ".join(column.name for column in _FOLLOWUP.c)
_LOCK = f"""
    SELECT {_COLUMNS} FROM followup
    WHERE id = ANY($1::uuid[]) OR feedback = ANY($2::uuid[]) OR submission = ANY($3::uuid[])
    ORDER BY id FOR UPDATE"""
_LOCK_OVERDUE = text(f"""
    SELECT {_COLUMNS} FROM followup
    WHERE overdue_at IS NULL AND state IN ('new', 'assigned') AND first_attempt_due <= clock_timestamp()
    ORDER BY first_attempt_due, id LIMIT :limit FOR UPDATE SKIP LOCKED""")
_LOCK_OF = text(f"""
    SELECT {_COLUMNS} FROM followup f
    WHERE customer = ANY(CAST(:customers AS text[])) AND state = ANY(CAST(:states AS text[]))
        AND NOT EXISTS (SELECT FROM followup_event e WHERE e.followup_id = f.id AND e.kind = 'commented'
            AND position(CAST(:note AS bytea) IN e.value) > 0)
    ORDER BY id FOR UPDATE""")
_UPDATE = (
    sa.update(_FOLLOWUP)
    .where(_FOLLOWUP.c.id == sa.bindparam("row_id"))
    .values({column.name: sa.bindparam(column.name) for column in _FOLLOWUP.c if column.name != "id"})
)


async def clock(tx: AsyncConnection) -> datetime:
    """The database's time, the only one that deadlines know."""
    return (await tx.execute(_CLOCK)).scalar_one()  # type: ignore[no-any-return]


async def lock(
    ids: Collection[UUID], feedbacks: Collection[UUID], submissions: Collection[UUID], tx: AsyncConnection
) -> list[Followup]:
    """Those with one of these ids, of one of these feedbacks or submissions, until the transaction ends."""
    return [Followup(**row) for row in await fetch(tx, _LOCK, list(ids), list(feedbacks), list(submissions))]


async def lock_of(customers: Collection[str], states: Sequence[str], note: str, tx: AsyncConnection) -> list[Followup]:
    """Those of these customers in one of the states, unless a comment says `note` already."""
    names = {"customers": list(customers), "states": list(states), "note": note.encode()}
    return [_followup(row) for row in await tx.execute(_LOCK_OF, names)]


async def lock_overdue(limit: int, tx: AsyncConnection) -> list[Followup]:
    """Missed deadlines that were not reported, the earliest first; what others work on is left to them."""
    return [_followup(row) for row in await tx.execute(_LOCK_OVERDUE, {"limit": limit})]


async def update(followups: Sequence[Followup], tx: AsyncConnection) -> None:
    await tx.execute(
        _UPDATE, [{"row_id": followup.id, **followup.model_dump(exclude={"id"})} for followup in followups]
    )


def _followup(row: "sa.Row[Any]") -> Followup:
    return Followup(**row._mapping)
