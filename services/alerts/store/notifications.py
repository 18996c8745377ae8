"""What people outside are to be told: leased to one sender, tried by a schedule, dead when that is exhausted."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from services.alerts.models import Notification

LEASE_SECONDS = 60

_CLAIM = f"""
    WITH claimed AS (
        UPDATE notification n
        SET lease_token = :token, lease_until = clock_timestamp() + interval '{LEASE_SECONDS} s'
        WHERE id IN (SELECT id FROM notification
            WHERE state = 'pending' AND (lease_until IS NULL OR lease_until < clock_timestamp()) {{due}}
            ORDER BY next_at, id LIMIT :limit FOR UPDATE SKIP LOCKED)
        RETURNING n.id, n.followup_id, n.version, n.attempts, n.next_at <= clock_timestamp() AS is_due)
    SELECT c.id, c.attempts, c.is_due, e.value FROM claimed c
    JOIN followup_event e ON e.followup_id = c.followup_id AND e.version = c.version"""
_CLAIM_DUE = text(_CLAIM.format(due="AND next_at <= clock_timestamp()"))
_CLAIM_ANY = text(_CLAIM.format(due=""))
_HELD = "WHERE id = :id AND lease_token = :token"
_DELIVERED = text(f"""
    UPDATE notification SET state = 'delivered', delivered_at = clock_timestamp(), attempts = attempts + 1,
        last_status = :status, last_error = NULL, lease_token = NULL, lease_until = NULL {_HELD}""")
_FAILED = text(f"""
    UPDATE notification SET attempts = :attempts, last_status = :status, last_error = :error,
        state = CASE WHEN CAST(:delay AS double precision) IS NULL THEN 'dead' ELSE 'pending' END,
        next_at = clock_timestamp() + make_interval(secs => coalesce(CAST(:delay AS double precision), 0)),
        lease_token = NULL, lease_until = NULL {_HELD}""")
_PROBED = text(f"""
    UPDATE notification SET last_status = :status, last_error = :error, lease_token = NULL, lease_until = NULL
    {_HELD}""")
_ALL_DUE = text("""
    UPDATE notification SET next_at = clock_timestamp() WHERE state = 'pending' AND next_at > clock_timestamp()""")
_GIVE_UP = text("""
    UPDATE notification SET state = 'dead', last_error = :why, lease_token = NULL, lease_until = NULL
    WHERE state = 'pending' AND followup_id = ANY(CAST(:followups AS uuid[]))""")
_REPLAY = text("""
    UPDATE notification SET state = 'pending', attempts = 0, next_at = clock_timestamp()
    WHERE id = :id AND state = 'dead' RETURNING id""")

State = Literal["pending", "delivered", "dead"]
Place = tuple[datetime, UUID]


class Claimed(NamedTuple):
    """`attempts` were made before; `is_due` is False for a probe that comes before its time."""

    id: UUID
    attempts: int
    is_due: bool
    body: bytes


async def claim(token: UUID, limit: int, only_due: bool, tx: AsyncConnection) -> list[Claimed]:
    rows = await tx.execute(_CLAIM_DUE if only_due else _CLAIM_ANY, {"token": token, "limit": limit})
    return [Claimed(id_, attempts, is_due, body) for id_, attempts, is_due, body in rows]


async def delivered(id_: UUID, token: UUID, status: int | None, tx: AsyncConnection) -> None:
    """Like the next two, this changes nothing where another sender took over."""
    await tx.execute(_DELIVERED, {"id": id_, "token": token, "status": status})


async def failed(
    id_: UUID, token: UUID, attempts: int, delay: float | None, status: int | None, error: str, tx: AsyncConnection
) -> bool:
    """`attempts` were made by now; `delay` None: it is dead. False where another sender took over."""
    values = {"id": id_, "token": token, "attempts": attempts, "delay": delay, "status": status, "error": error}
    return (await tx.execute(_FAILED, values)).rowcount == 1


async def probed(id_: UUID, token: UUID, status: int | None, error: str, tx: AsyncConnection) -> None:
    """A probe before its time failed: that uses up no attempt and moves no time."""
    await tx.execute(_PROBED, {"id": id_, "token": token, "status": status, "error": error})


async def make_all_due(tx: AsyncConnection) -> None:
    await tx.execute(_ALL_DUE)


async def replay(id_: UUID, tx: AsyncConnection) -> bool:
    """A dead one goes through the whole schedule again. False when it is not dead."""
    return (await tx.execute(_REPLAY, {"id": id_})).first() is not None


async def find(id_: UUID, tx: AsyncConnection) -> Notification | None:
    row = (await tx.execute(select(Notification).where(col(Notification.id) == id_))).first()
    return Notification(**row._mapping) if row else None


async def give_up(followups: Collection[UUID], why: str, tx: AsyncConnection) -> None:
    """Nobody outside is to act on these any more; `replay` sends one all the same."""
    await tx.execute(_GIVE_UP, {"followups": list(followups), "why": why})


async def of(followups: Collection[UUID], tx: AsyncConnection) -> list[Notification]:
    """Who was or is to be told of these follow-ups."""
    rows = await tx.execute(select(Notification).where(col(Notification.followup_id).in_(followups)))
    return [Notification(**row._mapping) for row in rows]


async def page(
    state: State | None, before: Place | None, limit: int, tx: AsyncConnection
) -> tuple[list[Notification], int]:
    """The newest first, from `before` on, and how many there are in all."""
    wanted = [col(Notification.state) == state] if state else []
    place = sa.tuple_(col(Notification.created_at), col(Notification.id))
    rows = await tx.execute(
        select(Notification)
        .where(*wanted, *([place < before] if before else []))
        .order_by(col(Notification.created_at).desc(), col(Notification.id).desc())
        .limit(limit)
    )
    total = (await tx.execute(sa.select(sa.func.count()).select_from(Notification).where(*wanted))).scalar_one()
    return [Notification(**row._mapping) for row in rows], total
