"""What is still owed to the log: rows without `published_at`, leased to one relay at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.alerts.records import Positions
from shared.db import Database

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
    UPDATE {table} o SET lease_token = $1, lease_until = clock_timestamp() + interval '{lease} s'
    FROM (SELECT {id}, {number} FROM {table}
        WHERE published_at IS NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY at, {id}, {number} LIMIT $2 FOR UPDATE SKIP LOCKED) due
    WHERE o.{id} = due.{id} AND o.{number} = due.{number}
    RETURNING '{table}' AS box, o.at, o.{id} AS id, o.{number} AS number, o.value"""
_MARK = """
    UPDATE {table} o SET published_at = clock_timestamp(), lease_token = NULL, lease_until = NULL
    FROM unnest($1::uuid[], $2::bigint[]) AS v(id, number)
    WHERE o.{id} = v.id AND o.{number} = v.number AND o.lease_token = $3"""
_CLAIMS = {box.table: _CLAIM.format(**box._asdict(), lease=LEASE_SECONDS) for box in OUTBOXES}
_CLAIM_ALL = f"""
    WITH {", ".join(f"{table}_due AS ({claim})" for table, claim in _CLAIMS.items())}
    {" UNION ALL ".join(f"SELECT box, at, id, number, value FROM {table}_due" for table in _CLAIMS)}
    ORDER BY box, at, id, number"""
_MARKS = {box: _MARK.format(**box._asdict()) for box in OUTBOXES}
_ALL_SENT = " AND ".join(f"NOT EXISTS (SELECT FROM {box.table} WHERE published_at IS NULL)" for box in OUTBOXES)
# One statement, so one snapshot: a position never stands there before the events of what was read up to it.
_POSITIONS = f"""
    SELECT topic, partition, next_offset, clock_timestamp() FROM consumer_offset
    WHERE {_ALL_SENT} ORDER BY topic, partition"""


async def claim(token: UUID, limit: int, db: Database) -> dict[Outbox, list[Owed]]:
    """Of each outbox that owes anything the oldest that are due, leased to the holder of the token."""
    claimed: dict[Outbox, list[Owed]] = {}
    boxes = {box.table: box for box in OUTBOXES}
    for table, _, *owed in await db.fetch(_CLAIM_ALL, token, limit):
        claimed.setdefault(boxes[table], []).append(Owed(*owed))
    return claimed


async def mark_published(box: Outbox, owed: Sequence[Owed], token: UUID, db: Database) -> None:
    """Only what the token still holds: another relay may have taken over."""
    await db.fetch(_MARKS[box], [one.id for one in owed], [one.number for one in owed], token)


async def positions(db: Database) -> tuple[Positions, datetime] | None:
    """The next offset of every partition, by topic; None while anything is owed or before anything was read."""
    rows = await db.fetch(_POSITIONS)
    found: Positions = {}
    for topic, partition, next_offset, _ in rows:
        found.setdefault(topic, {})[str(partition)] = next_offset
    return (found, rows[0][-1]) if rows else None
