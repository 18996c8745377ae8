"""Everything that scoring keeps of a person: facts that name them, and facts that name nobody but belong to them."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.store.registers import columns
from shared.erasure.belongings import Belongings
from shared.events.activity import ACTIVITY
from shared.events.catalogue import TYPES
from shared.events.feedback import RECEIVED, RETRACTED

_FEEDBACK = f"""
    SELECT CAST(id AS text), revision, CASE WHEN retracted THEN '{RETRACTED}' ELSE '{RECEIVED}' END AS type, sender,
        time, received_at, superseded_at IS NULL AS current, CAST(data AS text) AS data FROM feedback"""
_ACTIVITY = """
    SELECT CAST(id AS text), revision, type, sender, time, received_at, superseded_at IS NULL AS current,
        CAST(data AS text) AS data FROM activity"""
_THEIRS = "data ? 'customer' AND data ->> 'customer' = :customer AND (time <= :until OR received_at <= :until)"
_NAMELESS = "NOT data ? 'customer'"
_NAMED = text(f"{_FEEDBACK} WHERE {_THEIRS} UNION ALL {_ACTIVITY} WHERE {_THEIRS}")
_CONTACTS = text(f"""
    {_ACTIVITY} WHERE type = 'contact.opened.v1' AND {_NAMELESS} AND (data ->> 'order_id' = ANY(CAST(:orders AS text[]))
        OR object_id = ANY(CAST(:contacts AS text[])))""")
# What stands is found by its object; then every revision of it.
_HAPPENED = text(f"""
    {_ACTIVITY} WHERE {_NAMELESS} AND type <> 'contact.opened.v1' AND id IN (
        SELECT id FROM activity WHERE superseded_at IS NULL
            AND object_id = ANY(CAST(:objects AS text[])) AND type = ANY(CAST(:types AS text[])))""")
# One way an index: of either-or over several the planner would rather read everything.
_OWNED = text(f"""
    {_FEEDBACK} WHERE {_NAMELESS} AND data ? 'order_id' AND data ->> 'order_id' = ANY(CAST(:orders AS text[]))
    UNION ALL
    {_FEEDBACK} WHERE {_NAMELESS} AND data ? 'contact_id' AND data ->> 'contact_id' = ANY(CAST(:contacts AS text[]))
    UNION ALL
    {_FEEDBACK} WHERE {_NAMELESS} AND data ? 'submission_id'
        AND data ->> 'submission_id' = ANY(CAST(:submissions AS text[]))
        AND (sender, data ->> 'submission_id') IN (
            SELECT * FROM unnest(CAST(:senders AS text[]), CAST(:submissions AS text[])))
    UNION ALL
    {_FEEDBACK} WHERE {_NAMELESS} AND id = ANY(CAST(:facts AS uuid[]))""")
_EMPTY_FEEDBACK = text("""
    UPDATE feedback f SET data = CAST(v.data AS jsonb), content = v.content
    FROM unnest(CAST(:id AS uuid[]), CAST(:revision AS bigint[]), CAST(:data AS text[]), CAST(:content AS bytea[]))
        AS v(id, revision, data, content)
    WHERE f.id = v.id AND f.revision = v.revision""")
_EMPTY_ACTIVITY = text("""
    UPDATE activity a SET data = CAST(v.data AS jsonb), content = v.content, object_id = v.object_id
    FROM unnest(CAST(:id AS uuid[]), CAST(:revision AS bigint[]), CAST(:data AS text[]), CAST(:content AS bytea[]),
        CAST(:object_id AS text[])) AS v(id, revision, data, content, object_id)
    WHERE a.id = v.id AND a.revision = v.revision""")
# By pages in the order of the key, so that nobody waits for it and no snapshot grows old.
_CUSTOMERS = """
    SELECT CAST(id AS text), revision, data ->> 'customer' FROM {table}
    WHERE (id, revision) > (CAST(:id AS uuid), :revision) ORDER BY id, revision LIMIT 20000"""
_NOWHERE = "00000000-0000-0000-0000-000000000000"


class Fact(NamedTuple):
    """A revision as it is kept; `told` is its data."""

    id: str
    revision: int
    type: str
    sender: str
    time: datetime
    received_at: datetime
    current: bool
    told: msgspec.Struct


class Emptied(NamedTuple):
    """What stands there from now on: JSON, and the digest that tells a late copy from a conflict."""

    id: str
    revision: int
    data: str
    content: bytes


async def named(customer: str, until: datetime, tx: AsyncConnection) -> list[Fact]:
    """Facts that name the customer and happened or arrived until then."""
    return _facts(await tx.execute(_NAMED, {"customer": customer, "until": until}))


async def contacts(belongings: Belongings, tx: AsyncConnection) -> list[Fact]:
    """Contacts that name nobody, and were about one of these orders or are one of these."""
    values = {"orders": list(belongings.orders), "contacts": list(belongings.contacts)}
    return _facts(await tx.execute(_CONTACTS, values))


async def happened(belongings: Belongings, tx: AsyncConnection) -> list[Fact]:
    """What happened to these orders and in these contacts, and names nobody."""
    found = []
    for field, objects in (("order_id", belongings.orders), ("contact_id", belongings.contacts)):
        types = [type_ for type_, (_, named) in ACTIVITY.items() if named == field]
        found += _facts(await tx.execute(_HAPPENED, {"objects": list(objects), "types": types}))
    return found


async def owned(belongings: Belongings, tx: AsyncConnection) -> list[Fact]:
    """Answers that name nobody and belong to these."""
    submissions = sorted(belongings.submissions)
    values = {
        "orders": list(belongings.orders),
        "contacts": list(belongings.contacts),
        "senders": [sender for sender, _ in submissions],
        "submissions": [submission for _, submission in submissions],
        "facts": list(belongings.facts),
    }
    return list({(one.id, one.revision): one for one in _facts(await tx.execute(_OWNED, values))}.values())


def _facts(rows: Any) -> list[Fact]:
    return [Fact._make([*rest, TYPES[rest[2]].decoder.decode(data)]) for *rest, data in rows]


async def empty_feedback(rows: Sequence[Emptied], tx: AsyncConnection) -> None:
    await tx.execute(_EMPTY_FEEDBACK, columns(Emptied._fields, rows))


async def empty_activity(rows: Sequence[tuple[Emptied, str]], tx: AsyncConnection) -> None:
    """Each with the name of the object it is about."""
    names = (*Emptied._fields, "object_id")
    await tx.execute(_EMPTY_ACTIVITY, columns(names, [(*emptied, object_id) for emptied, object_id in rows]))


async def customers(tx: AsyncConnection) -> AsyncIterator[str]:
    """Everybody named in any fact, more than once each."""
    for table in ("feedback", "activity"):
        statement, after = text(_CUSTOMERS.format(table=table)), {"id": _NOWHERE, "revision": -1}
        while rows := (await tx.execute(statement, after)).all():
            for customer in _distinct(rows):
                yield customer
            after = {"id": rows[-1][0], "revision": rows[-1][1]}


def _distinct(rows: Collection[Any]) -> set[str]:
    return {row[2] for row in rows if row[2] is not None}
