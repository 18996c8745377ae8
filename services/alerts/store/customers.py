"""Customers as their facts say: `customer.updated.v1` merged field by field, the newest time wins, null clears.

Read from the facts and kept nowhere else, so that no order of arrival and no later revision of a fact can leave
something behind. Facts of the same time are told apart by their id.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.store.activity import CURRENT
from shared.statements import fetch

Consent = Literal["contact", "survey"]
CONTACT_FIELDS = ("name", "phone", "email", "language")

_CONTACT = text(f"""
    SELECT DISTINCT ON (field.key) field.key AS field, field.value #>> '{{}}' AS value
    FROM activity a, jsonb_each(a.data) field
    WHERE a.customer = :customer AND a.type = 'customer.updated.v1' AND field.key = ANY(CAST(:fields AS text[]))
        AND {CURRENT}
    ORDER BY field.key, a.at DESC, a.id DESC""")
# Of the customers $1, who refuses $2.
_REFUSING = f"""
    SELECT customer FROM unnest($1::text[]) AS v(customer)
    WHERE CAST('false' AS jsonb) = (
        SELECT a.data -> 'consent' -> $2::text FROM activity a
        WHERE a.customer = v.customer AND a.type = 'customer.updated.v1' AND a.data ? 'consent'
            AND (a.data -> 'consent' = 'null' OR a.data -> 'consent' ? $2::text) AND {CURRENT}
        ORDER BY a.at DESC, a.id DESC LIMIT 1)"""
# Several systems may tell of one order: the newest counts.
_ORDER_VALUES = f"""
    WITH orders AS (
        SELECT DISTINCT ON (a.order_id) a.customer, a.data -> 'total' AS total FROM activity a
        WHERE a.customer = ANY($1::text[]) AND a.type = 'order.placed.v1' AND {CURRENT}
            AND NOT EXISTS (SELECT FROM activity c WHERE c.order_id = a.order_id AND c.type = 'order.cancelled.v1'
                AND NOT EXISTS (SELECT FROM activity later WHERE later.id = c.id AND later.revision > c.revision))
        ORDER BY a.order_id, a.at DESC, a.id DESC),
    sums AS (
        SELECT customer, sum(CAST(total ->> 'amount' AS bigint)) AS value FROM orders
        WHERE total ->> 'amount' IS NOT NULL GROUP BY customer, total ->> 'currency')
    SELECT customer, CAST(max(value) AS text) AS value FROM sums GROUP BY customer"""
_STANDING = f"""
    SELECT clock_timestamp(), ARRAY({_REFUSING}),
        (SELECT CAST(jsonb_object_agg(customer, value) AS text) FROM ({_ORDER_VALUES}) AS valued)"""


async def contact(customer: str | None, tx: AsyncConnection) -> dict[str, str | None]:
    """Whom to call: each of CONTACT_FIELDS, None where nothing is known."""
    rows = await tx.execute(_CONTACT, {"customer": customer, "fields": list(CONTACT_FIELDS)})
    return {**dict.fromkeys(CONTACT_FIELDS), **{row.field: row.value for row in rows}}


async def refusing(customers: Collection[str], tx: AsyncConnection, what: Consent = "contact") -> set[str]:
    """Those who do not want to be contacted, or asked (`survey`)."""
    if not customers:
        return set()
    return {customer for (customer,) in await fetch(tx, _REFUSING, list(customers), what)}


async def order_values(customers: Collection[str], tx: AsyncConnection) -> dict[str, int]:
    """What each one's orders that were not cancelled come to, minor units, in the currency where that is most."""
    if not customers:
        return {}
    return {customer: int(value) for customer, value in await fetch(tx, _ORDER_VALUES, list(customers))}


class Standing(NamedTuple):
    """What a follow-up depends on beside the answer: the database's time, and of customers what the two above say."""

    now: datetime
    refusing: Collection[str]
    order_values: Mapping[str, int]


async def standing(customers: Collection[str], tx: AsyncConnection) -> Standing:
    """All of it at once: each question would cost a small batch as much as this one."""
    ((now, refusing, values),) = await fetch(tx, _STANDING, list(customers), "contact")
    valued = msgspec.json.decode(values, type=dict[str, str]) if values else {}
    return Standing(now, set(refusing), {customer: int(value) for customer, value in valued.items()})
