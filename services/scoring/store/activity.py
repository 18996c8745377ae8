"""The fact table of what happened around customers, and the deliveries that are judged from it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.deliveries import TYPES, Delivery, OrderFact
from services.scoring.store.registers import columns, copy_into

COLUMNS = ("id", "revision", "content", "type", "sender", "object_id", "data", "time", "received_at", "partition")
_ORDER_FACTS = text("""
    SELECT object_id, type, CAST(data AS text), time, sender FROM activity
    WHERE object_id = ANY(CAST(:orders AS text[])) AND type = ANY(CAST(:types AS text[])) AND superseded_at IS NULL""")
_DELIVERIES = text("""
    SELECT order_id, completed_at, outcome, sender, store, channel FROM delivery
    WHERE order_id = ANY(CAST(:orders AS text[])) FOR UPDATE""")
_PUT_DELIVERIES = text("""
    INSERT INTO delivery (order_id, completed_at, outcome, sender, store, channel)
    SELECT * FROM unnest(CAST(:order_id AS text[]), CAST(:completed_at AS timestamptz[]), CAST(:outcome AS text[]),
        CAST(:sender AS text[]), CAST(:store AS text[]), CAST(:channel AS text[]))
    ON CONFLICT (order_id) DO UPDATE SET completed_at = excluded.completed_at, outcome = excluded.outcome,
        sender = excluded.sender, store = excluded.store, channel = excluded.channel""")

_FORGET_DELIVERIES = text("DELETE FROM delivery WHERE order_id = ANY(CAST(:orders AS text[]))")
_OBJECTS = text("SELECT DISTINCT object_id FROM activity WHERE id = ANY(CAST(:ids AS uuid[]))")


async def insert(rows: Sequence[Sequence[Any]], superseded: Sequence[bool], tx: AsyncConnection) -> None:
    """`rows` in the order of COLUMNS, `data` as JSON text."""
    await copy_into("activity", COLUMNS, rows, superseded, tx)


async def order_facts(orders: Collection[str], tx: AsyncConnection) -> dict[str, list[OrderFact]]:
    found: dict[str, list[OrderFact]] = {}
    for order_id, *fact in await tx.execute(_ORDER_FACTS, {"orders": list(orders), "types": list(TYPES)}):
        found.setdefault(order_id, []).append(OrderFact(*fact))
    return found


async def objects(ids: Collection[str], tx: AsyncConnection) -> set[str]:
    """What any revision of these facts is about."""
    return set((await tx.execute(_OBJECTS, {"ids": list(ids)})).scalars())


async def deliveries(orders: Collection[str], tx: AsyncConnection) -> dict[str, Delivery]:
    """What was judged before, locked until the transaction ends."""
    rows = await tx.execute(_DELIVERIES, {"orders": sorted(orders)})
    return {order_id: Delivery(*rest) for order_id, *rest in rows}


async def put_deliveries(judged: Mapping[str, Delivery], tx: AsyncConnection) -> None:
    if not judged:
        return
    rows = [(order_id, *delivery) for order_id, delivery in sorted(judged.items())]
    await tx.execute(_PUT_DELIVERIES, columns(("order_id", *Delivery._fields), rows))


async def forget_deliveries(orders: Collection[str], tx: AsyncConnection) -> None:
    """Orders that nothing has completed after all."""
    if orders:
        await tx.execute(_FORGET_DELIVERIES, {"orders": list(orders)})
