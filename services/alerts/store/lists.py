"""Follow-ups as people look for them."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from services.alerts.models import Followup
from services.alerts.states import UNATTEMPTED

Place = tuple[datetime, UUID]

_OVERDUE = sa.and_(col(Followup.state).in_(UNATTEMPTED), col(Followup.first_attempt_due) < sa.func.clock_timestamp())


class Wanted(NamedTuple):
    """What a list is narrowed to; None and the empty list mean no matter what."""

    states: list[str]
    assignee: str | None = None
    overdue: bool | None = None
    customer: str | None = None
    feedback: UUID | None = None


class Listed(NamedTuple):
    """A follow-up and whether it is overdue at this moment."""

    followup: Followup
    overdue: bool


async def page(wanted: Wanted, after: Place | None, limit: int, tx: AsyncConnection) -> tuple[list[Listed], int]:
    """By deadline, from `after` on, and how many match in all."""
    matching = _conditions(wanted)
    place = sa.tuple_(col(Followup.first_attempt_due), col(Followup.id))
    rows = await tx.execute(
        sa.select(Followup, _OVERDUE)
        .where(*matching, *([place > after] if after else []))
        .order_by(col(Followup.first_attempt_due), col(Followup.id))
        .limit(limit)
    )
    total = (await tx.execute(sa.select(sa.func.count()).select_from(Followup).where(*matching))).scalar_one()
    return [_listed(*row) for row in rows], total


async def find(id_: UUID, tx: AsyncConnection) -> Listed | None:
    row = (await tx.execute(select(Followup, _OVERDUE).where(col(Followup.id) == id_))).first()
    return _listed(*row) if row else None


def _conditions(wanted: Wanted) -> list[Any]:
    conditions: list[Any] = [
        column == value
        for column, value in (
            (col(Followup.assignee), wanted.assignee),
            (col(Followup.customer), wanted.customer),
            (col(Followup.feedback), wanted.feedback),
        )
        if value is not None
    ]
    if wanted.states:
        conditions.append(col(Followup.state).in_(wanted.states))
    if wanted.overdue is not None:
        conditions.append(_OVERDUE if wanted.overdue else sa.not_(_OVERDUE))
    return conditions


def _listed(*columns_and_overdue: Any) -> Listed:
    *columns, overdue = columns_and_overdue
    return Listed(Followup(**dict(zip(Followup.model_fields, columns, strict=True))), overdue)
