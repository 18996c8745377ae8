"""Everything that alerts keeps of a person: what happened around them, their answers, follow-ups and every step."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.erasure.belongings import Belongings
from shared.events.catalogue import TYPES
from shared.events.scores import FeedbackScored

_NAMED_ACTIVITY = text("""
    SELECT id, revision, type, at, CAST(data AS text) FROM activity
    WHERE customer = :customer AND (at <= :until OR coalesce(received_at, '-infinity') <= :until)""")
_OWNED_CONTACTS = text("""
    SELECT id, revision, type, at, CAST(data AS text) FROM activity
    WHERE type = 'contact.opened.v1' AND customer IS NULL
        AND (order_id = ANY(CAST(:orders AS text[])) OR contact_id = ANY(CAST(:contacts AS text[])))""")
_AROUND = text("""
    SELECT id, revision, type, at, CAST(data AS text) FROM activity
    WHERE customer IS NULL
        AND (order_id = ANY(CAST(:orders AS text[])) OR contact_id = ANY(CAST(:contacts AS text[])))""")
_NAMED_ANSWERS = text("""
    SELECT CAST(answer AS text) FROM seen_feedback
    WHERE answer IS NOT NULL AND answer ->> 'customer' = :customer
        AND (CAST(answer ->> 'time' AS timestamptz) <= :until
            OR CAST(answer ->> 'received_at' AS timestamptz) <= :until)""")
_OWNED_ANSWERS = text("""
    SELECT CAST(answer AS text) FROM seen_feedback
    WHERE answer IS NOT NULL AND NOT answer ? 'customer' AND answer ->> 'order_id' = ANY(CAST(:orders AS text[]))
    UNION SELECT CAST(answer AS text) FROM seen_feedback
    WHERE keeps = ANY(CAST(:followups AS uuid[])) AND NOT answer ? 'customer'""")
# One that is empty already is left alone: a late copy of an erased answer is no news.
_NAMELESS_FOLLOWUPS = text("""
    SELECT id, order_id FROM followup
    WHERE feedback = ANY(CAST(:feedbacks AS uuid[])) AND customer IS NULL
        AND (order_id IS NOT NULL OR text IS NOT NULL)
    UNION SELECT id, order_id FROM followup WHERE customer IS NULL AND order_id = ANY(CAST(:orders AS text[]))""")
_FOLLOWUPS = text("""
    SELECT id, order_id FROM followup WHERE customer = :customer AND opened_at <= :until
    UNION SELECT id, order_id FROM followup WHERE feedback = ANY(CAST(:feedbacks AS uuid[]))
    UNION SELECT id, order_id FROM followup WHERE customer IS NULL AND order_id = ANY(CAST(:orders AS text[]))""")
_EVENTS = text("""
    SELECT followup_id, version, kind, value FROM followup_event
    WHERE followup_id = ANY(CAST(:ids AS uuid[])) ORDER BY followup_id, version""")
_ON_THEIR_WAY = text("""
    SELECT count(*) FILTER (WHERE published_at IS NULL AND lease_until > clock_timestamp()) FROM (
        SELECT published_at, lease_until FROM followup_event
        WHERE followup_id = ANY(CAST(:ids AS uuid[])) ORDER BY followup_id, version FOR UPDATE) locked""")
_EMPTY_ACTIVITY = text("""
    UPDATE activity a
    SET customer = NULL, order_id = NULL, contact_id = NULL, data = CAST('{}' AS jsonb), content = v.content
    FROM unnest(CAST(:ids AS uuid[]), CAST(:revisions AS bigint[]), CAST(:contents AS bytea[]))
        AS v(id, revision, content)
    WHERE a.id = v.id AND a.revision = v.revision""")
_EMPTY_ANSWERS = text("""
    UPDATE seen_feedback seen SET answer = CAST(v.answer AS jsonb)
    FROM unnest(CAST(:feedbacks AS uuid[]), CAST(:answers AS text[])) AS v(feedback, answer)
    WHERE seen.feedback = v.feedback AND seen.answer IS NOT NULL""")
_EMPTY_FOLLOWUPS = text("""
    UPDATE followup SET customer = NULL, order_id = NULL, text = NULL, action = NULL
    WHERE id = ANY(CAST(:ids AS uuid[]))""")
_EMPTY_EVENTS = text("""
    UPDATE followup_event e SET value = v.value
    FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS integer[]), CAST(:values AS bytea[])) AS v(id, version, value)
    WHERE e.followup_id = v.id AND e.version = v.version""")
# Everybody after the one before, in pages: whoever is named in any of these.
_CUSTOMERS = text("""
    SELECT customer FROM (
        (SELECT DISTINCT customer FROM activity WHERE customer > :after ORDER BY 1 LIMIT 10000)
        UNION (SELECT DISTINCT customer FROM followup WHERE customer > :after ORDER BY 1 LIMIT 10000)
        UNION (SELECT DISTINCT answer ->> 'customer' FROM seen_feedback
            WHERE answer IS NOT NULL AND answer ->> 'customer' > :after ORDER BY 1 LIMIT 10000)) named(customer)
    ORDER BY customer LIMIT 10000""")

_answer = msgspec.json.Decoder(FeedbackScored).decode


class Happened(NamedTuple):
    """A revision of an activity."""

    id: UUID
    revision: int
    type: str
    at: datetime
    told: msgspec.Struct


class Step(NamedTuple):
    """An event of a follow-up as it stands on the log."""

    followup_id: UUID
    version: int
    kind: str
    value: bytes


async def happened(customer: str, until: datetime, tx: AsyncConnection) -> list[Happened]:
    """What names the customer, and happened or arrived until then."""
    return _happened(await tx.execute(_NAMED_ACTIVITY, {"customer": customer, "until": until}))


async def contacts(belongings: Belongings, tx: AsyncConnection) -> list[Happened]:
    """Contacts that name nobody and belong to these."""
    values = {"orders": list(belongings.orders), "contacts": list(belongings.contacts)}
    return _happened(await tx.execute(_OWNED_CONTACTS, values))


async def around(belongings: Belongings, tx: AsyncConnection) -> list[Happened]:
    """All that happened to these orders and in these contacts, and names nobody."""
    values = {"orders": list(belongings.orders), "contacts": list(belongings.contacts)}
    return _happened(await tx.execute(_AROUND, values))


def _happened(rows: Iterable[Any]) -> list[Happened]:
    return [Happened._make([*rest, TYPES[rest[2]].decoder.decode(data)]) for *rest, data in rows]


async def answers(customer: str, until: datetime, tx: AsyncConnection) -> list[FeedbackScored]:
    rows = await tx.execute(_NAMED_ANSWERS, {"customer": customer, "until": until})
    return [_answer(answer) for answer in rows.scalars()]


async def nameless_answers(
    orders: Collection[str], followups: Collection[UUID], tx: AsyncConnection
) -> list[FeedbackScored]:
    """Answers that name nobody, of these orders or keeping these follow-ups alive."""
    rows = await tx.execute(_OWNED_ANSWERS, {"orders": list(orders), "followups": list(followups)})
    return [_answer(answer) for answer in rows.scalars()]


async def followups(
    customer: str, until: datetime, feedbacks: Collection[str], orders: Collection[str], tx: AsyncConnection
) -> dict[UUID, str | None]:
    """The ids, each with its order."""
    values = {"customer": customer, "until": until, "feedbacks": list(feedbacks), "orders": list(orders)}
    return {row.id: row.order_id for row in await tx.execute(_FOLLOWUPS, values)}


async def nameless_followups(
    feedbacks: Collection[str], orders: Collection[str], tx: AsyncConnection
) -> dict[UUID, str | None]:
    """Of these answers, or of nobody about these orders."""
    values = {"feedbacks": list(feedbacks), "orders": list(orders)}
    return {row.id: row.order_id for row in await tx.execute(_NAMELESS_FOLLOWUPS, values)}


async def steps(followups: Collection[UUID], tx: AsyncConnection) -> list[Step]:
    return [Step._make(row) for row in await tx.execute(_EVENTS, {"ids": list(followups)})]


async def lock_steps(followups: Collection[UUID], tx: AsyncConnection) -> int:
    """Until the transaction ends; how many of them a relay is about to write to the log as they were."""
    return int((await tx.execute(_ON_THEIR_WAY, {"ids": list(followups)})).scalar_one())


async def empty_activity(contents: Sequence[tuple[UUID, int, bytes]], tx: AsyncConnection) -> None:
    """Each with the digest that tells a late copy from a conflict."""
    ids, revisions, digests = (list(column) for column in zip(*contents, strict=True)) if contents else ([], [], [])
    await tx.execute(_EMPTY_ACTIVITY, {"ids": ids, "revisions": revisions, "contents": digests})


async def empty_answers(answers: Sequence[FeedbackScored], tx: AsyncConnection) -> None:
    encoded = [msgspec.json.encode(answer).decode() for answer in answers]
    await tx.execute(_EMPTY_ANSWERS, {"feedbacks": [UUID(one.feedback) for one in answers], "answers": encoded})


async def empty_followups(ids: Collection[UUID], tx: AsyncConnection) -> None:
    await tx.execute(_EMPTY_FOLLOWUPS, {"ids": list(ids)})


async def empty_steps(steps: Sequence[Step], tx: AsyncConnection) -> None:
    values = {
        "ids": [one.followup_id for one in steps],
        "versions": [one.version for one in steps],
        "values": [one.value for one in steps],
    }
    await tx.execute(_EMPTY_EVENTS, values)


async def customers(tx: AsyncConnection) -> AsyncIterator[str]:
    after = ""
    while page := list((await tx.execute(_CUSTOMERS, {"after": after})).scalars()):
        for customer in page:
            yield customer
        after = page[-1]
