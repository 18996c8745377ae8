"""Customers as their facts say: `customer.updated.v1` merged field by field, the newest time wins, null clears.

Read from the facts and kept nowhere else, so that no order of arrival and no later revision of a fact can leave
something behind. Facts of the same time are told apart by their id.
"""

from collections.abc import Collection
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.store.activity import CURRENT

Consent = Literal["contact", "survey"]
CONTACT_FIELDS = ("name", "phone", "email", "language")

_CONTACT = text(f"""
    SELECT DISTINCT ON (field.key) field.key AS field, field.value #>> '{{}}' AS value
    FROM activity a, jsonb_each(a.data) field
    WHERE a.customer = :customer AND a.type = 'customer.updated.v1' AND field.key = ANY(CAST(:fields AS text[]))
        AND {CURRENT}
    ORDER BY field.key, a.at DESC, a.id DESC""")
_REFUSING = text(f"""
    SELECT customer FROM unnest(CAST(:customers AS text[])) AS v(customer)
    WHERE CAST('false' AS jsonb) = (
        SELECT a.data -> 'consent' -> CAST(:what AS text) FROM activity a
        WHERE a.customer = v.customer AND a.type = 'customer.updated.v1' AND a.data ? 'consent'
            AND (a.data -> 'consent' = 'null' OR a.data -> 'consent' ? CAST(:what AS text)) AND {CURRENT}
        ORDER BY a.at DESC, a.id DESC LIMIT 1)""")
# Several systems may tell of one order: the newest counts.
_ORDER_VALUES = text(f"""
    WITH orders AS (
        SELECT DISTINCT ON (a.order_id) a.customer, a.data -> 'total' AS total FROM activity a
        WHERE a.customer = ANY(CAST(:customers AS text[])) AND a.type = 'order.placed.v1' AND {CURRENT}
            AND NOT EXISTS (SELECT FROM activity c WHERE c.order_id = a.order_id AND c.type = 'order.cancelled.v1')
        ORDER BY a.order_id, a.at DESC, a.id DESC),
    sums AS (
        SELECT customer, sum(CAST(total ->> 'amount' AS bigint)) AS value FROM orders
        WHERE total ->> 'amount' IS NOT NULL GROUP BY customer, total ->> 'currency')
    SELECT customer, CAST(max(value) AS text) FROM sums GROUP BY customer""")


async def contact(customer: str | None, tx: AsyncConnection) -> dict[str, str | None]:
    """Whom to call: each of CONTACT_FIELDS, None where nothing is known."""
    rows = await tx.execute(_CONTACT, {"customer": customer, "fields": list(CONTACT_FIELDS)})
    return {**dict.fromkeys(CONTACT_FIELDS), **{row.field: row.value for row in rows}}


async def refusing(customers: Collection[str], tx: AsyncConnection, what: Consent = "contact") -> set[str]:
    """Those who do not want to be contacted, or asked (`survey`)."""
    if not customers:
        return set()
    return set((await tx.execute(_REFUSING, {"customers": list(customers), "what": what})).scalars())


async def order_values(customers: Collection[str], tx: AsyncConnection) -> dict[str, int]:
    """What each one's orders that were not cancelled come to, minor units, in the currency where that is most."""
    if not customers:
        return {}
    rows = await tx.execute(_ORDER_VALUES, {"customers": list(customers)})
    return {customer: int(value) for customer, value in rows}
