"""What is still owed to the log: rows without `published_at`, leased to one relay at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.records import Positions

LEASE_SECONDS = 10


class Outbox(NamedTuple):
    """A table with `value`, `at` and the columns of a lease; `about` is the kind of object that `id` names."""

    table: str
    id: str
    number: str
    about: str


class Owed(NamedTuple):
    id: UUID
    number: int
    value: bytes


OUTBOXES = (
    Outbox("followup_event", "followup_id", "version", "followup"),
    Outbox("suppression", "feedback", "revision", "feedback"),
)

_CLAIM = """
    UPDATE {table} o SET lease_token = :token, lease_until = clock_timestamp() + interval '{lease} s'
    FROM (SELECT {id}, {number} FROM {table}
        WHERE published_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY at, {id}, {number} LIMIT :limit FOR UPDATE SKIP LOCKED) due
    WHERE o.{id} = due.{id} AND o.{number} = due.{number}
    RETURNING o.at, o.{id}, o.{number}, o.value"""
_MARK = """
    UPDATE {table} o SET published_at = clock_timestamp(), lease_token = NULL, lease_until = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS bigint[])) AS v(id, number)
    WHERE o.{id} = v.id AND o.{number} = v.number AND o.lease_token = :token"""
_ALL_SENT = " AND ".join(f"NOT EXISTS (SELECT FROM {box.table} WHERE published_at IS NULL)" for box in OUTBOXES)
# One statement, so one snapshot: a position never stands there before the events of what was read up to it.
_POSITIONS = text(f"""
    SELECT topic, partition, next_offset, clock_timestamp() FROM consumer_offset
    WHERE {_ALL_SENT} ORDER BY topic, partition""")


async def claim(box: Outbox, token: UUID, limit: int, tx: AsyncConnection) -> list[Owed]:
    """The oldest that are due, leased to the holder of the token."""
    statement = text(_CLAIM.format(**box._asdict(), lease=LEASE_SECONDS))
    rows = await tx.execute(statement, {"token": token, "limit": limit})
    return [Owed(*rest) for _, *rest in sorted(tuple(row) for row in rows)]


async def mark_published(box: Outbox, owed: Sequence[Owed], token: UUID, tx: AsyncConnection) -> None:
    """Only what the token still holds: another relay may have taken over."""
    names = {"ids": [one.id for one in owed], "numbers": [one.number for one in owed], "token": token}
    await tx.execute(text(_MARK.format(**box._asdict())), names)


async def positions(tx: AsyncConnection) -> tuple[Positions, datetime] | None:
    """The next offset of every partition, by topic; None while anything is owed or before anything was read."""
    rows = list(await tx.execute(_POSITIONS))
    found: Positions = {}
    for topic, partition, next_offset, _ in rows:
        found.setdefault(topic, {})[str(partition)] = next_offset
    return (found, rows[0][-1]) if rows else None
