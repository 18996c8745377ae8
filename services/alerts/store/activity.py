"""What happened around customers: facts, one row a revision. The highest revision of a fact is current."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.catalogue import TYPES

CURRENT = "NOT EXISTS (SELECT FROM activity higher WHERE higher.id = a.id AND higher.revision > a.revision)"

_INSERT = text("""
    INSERT INTO activity (id, revision, content, type, customer, order_id, contact_id, at, received_at, data)
    SELECT id, revision, content, type, customer, order_id, contact_id, at, received_at, CAST(data AS jsonb)
    FROM unnest(CAST(:id AS uuid[]), CAST(:revision AS bigint[]), CAST(:content AS bytea[]), CAST(:type AS text[]),
        CAST(:customer AS text[]), CAST(:order_id AS text[]), CAST(:contact_id AS text[]),
        CAST(:at AS timestamptz[]), CAST(:received_at AS timestamptz[]), CAST(:data AS text[]))
        AS v(id, revision, content, type, customer, order_id, contact_id, at, received_at, data)
    ORDER BY id, revision
    ON CONFLICT DO NOTHING RETURNING id, revision""")
_CONTENTS = text("""
    SELECT a.id, a.revision, a.content
    FROM unnest(CAST(:ids AS uuid[]), CAST(:revisions AS bigint[])) AS v(id, revision)
    JOIN activity a ON a.id = v.id AND a.revision = v.revision""")
# A customer's own rows, their orders and what happened to these, their contacts and what was said in them.
_STORY = text(f"""
    WITH orders AS (
        SELECT CAST(:order_id AS text) AS order_id
        UNION SELECT a.order_id FROM activity a
            WHERE a.customer = :customer AND a.type = 'order.placed.v1' AND {CURRENT}),
    contacts AS (
        SELECT a.contact_id FROM activity a
        WHERE a.type = 'contact.opened.v1' AND {CURRENT}
            AND (a.customer = :customer OR a.order_id IN (SELECT order_id FROM orders)))
    SELECT a.type, a.at, CAST(a.data AS text) FROM activity a
    WHERE {CURRENT} AND (a.customer = :customer OR a.order_id IN (SELECT order_id FROM orders)
        OR a.contact_id IN (SELECT contact_id FROM contacts))
    ORDER BY a.at DESC, a.id LIMIT :limit""")

Key = tuple[UUID, int]


class Fact(NamedTuple):
    """In the order of the table's columns; `content` is the digest, `data` JSON."""

    id: UUID
    revision: int
    content: bytes
    type: str
    customer: str | None
    order_id: str | None
    contact_id: str | None
    at: datetime
    received_at: datetime
    data: str


class Happened(NamedTuple):
    type: str
    at: datetime
    data: msgspec.Struct


async def insert(facts: Sequence[Fact], tx: AsyncConnection) -> set[Key]:
    """Those that were not there yet."""
    columns = zip(*facts, strict=True)
    rows = await tx.execute(_INSERT, dict(zip(Fact._fields, map(list, columns), strict=True)))
    return {(id_, revision) for id_, revision in rows}


async def contents(keys: Collection[Key], tx: AsyncConnection) -> dict[Key, bytes]:
    """The digests of what is there."""
    wanted = {"ids": [id_ for id_, _ in keys], "revisions": [revision for _, revision in keys]}
    return {(id_, revision): content for id_, revision, content in await tx.execute(_CONTENTS, wanted)}


async def story(customer: str | None, order_id: str | None, limit: int, tx: AsyncConnection) -> list[Happened]:
    """Everything current that is known about the customer and the order, the newest first."""
    rows = await tx.execute(_STORY, {"customer": customer, "order_id": order_id, "limit": limit})
    return [Happened(type_, at, TYPES[type_].decoder.decode(data)) for type_, at, data in rows]
