"""Single records: one answer as it stands, and what was set aside."""

from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from msgspec import Meta
from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from services.scoring.models import DeadLetter, Feedback, Followup


class Place(NamedTuple):
    """Where a page of dead letters ended."""

    at: Annotated[datetime, Meta(tz=True)]
    topic: str
    incarnation: str
    partition: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    log_offset: Annotated[int, Meta(ge=0, le=2**63 - 1)]


async def revisions(id_: UUID, tx: AsyncConnection) -> list[Row[tuple[Feedback]]]:
    """Every revision of a feedback, the newest first."""
    statement = select(Feedback).where(col(Feedback.id) == id_).order_by(col(Feedback.revision).desc())
    return list(await tx.execute(statement))


async def conflicts(id_: UUID, tx: AsyncConnection) -> int:
    """How many other contents were sent under a revision of this feedback."""
    contents = func.count(col(DeadLetter.content).distinct())
    return (await tx.execute(select(contents).where(col(DeadLetter.id) == id_))).scalar_one()


async def followup(feedback: UUID, tx: AsyncConnection) -> tuple[UUID, str] | None:
    """Id and state of the follow-up of a feedback."""
    statement = select(col(Followup.id), col(Followup.state)).where(col(Followup.feedback) == feedback)
    row = (await tx.execute(statement)).first()
    return None if row is None else (row[0], row[1])


async def dead_letters(
    kind: str | None, limit: int, after: Place | None, tx: AsyncConnection
) -> tuple[list[Row[tuple[DeadLetter]]], int]:
    """The newest first, and how many there are in all."""
    order = [col(getattr(DeadLetter, name)) for name in Place._fields]
    wanted = [col(DeadLetter.kind) == kind] if kind else []
    total = (await tx.execute(select(func.count()).select_from(DeadLetter).where(*wanted))).scalar_one()
    page = select(DeadLetter).where(*wanted).order_by(*(column.desc() for column in order)).limit(limit)
    if after:
        page = page.where(tuple_(*order) < tuple(after))
    return list(await tx.execute(page)), total
