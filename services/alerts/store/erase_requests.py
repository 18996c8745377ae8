"""Erasures that senders asked for and that are not on `petla.config` yet."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.models import EraseRequest

_INSERT = text("""
    INSERT INTO erase_request (id, customer, received_at)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:customers AS text[]), CAST(:times AS timestamptz[]))
    ON CONFLICT DO NOTHING""")
_WAITING = text("SELECT id, customer, received_at FROM erase_request ORDER BY received_at, id LIMIT 100")
_FORGET = text("DELETE FROM erase_request WHERE id = :id")


async def insert(requests: Sequence[EraseRequest], tx: AsyncConnection) -> None:
    columns = {
        "ids": [one.id for one in requests],
        "customers": [one.customer for one in requests],
        "times": [one.received_at for one in requests],
    }
    await tx.execute(_INSERT, columns)


async def waiting(tx: AsyncConnection) -> list[EraseRequest]:
    return [EraseRequest(**row._mapping) for row in await tx.execute(_WAITING)]


async def forget(id_: UUID, tx: AsyncConnection) -> None:
    await tx.execute(_FORGET, {"id": id_})
