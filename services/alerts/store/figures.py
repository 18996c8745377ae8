"""Figures about everything that is still to be done, for whoever watches the service. Read only."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.store.outbox import OUTBOXES

_OPEN = text("SELECT state, count(*) FROM followup WHERE state = ANY(CAST(:states AS text[])) GROUP BY state")
_OLDEST_DUE = text("""
    SELECT coalesce(extract(epoch FROM clock_timestamp() - min(next_at)), 0)::float8 FROM notification
    WHERE state = 'pending' AND next_at <= clock_timestamp()""")
_BACKLOG = text(
    "SELECT " + " + ".join(f"(SELECT count(*) FROM {box.table} WHERE published_at IS NULL)" for box in OUTBOXES)
)


class ToDo(NamedTuple):
    """Follow-ups by state, seconds that the oldest notification is late, events not yet on the log."""

    followups: dict[str, int]
    oldest_due_seconds: float
    unpublished: int


async def to_do(states: tuple[str, ...], tx: AsyncConnection) -> ToDo:
    found: dict[str, int] = dict((await tx.execute(_OPEN, {"states": list(states)})).all())
    return ToDo(
        {state: found.get(state, 0) for state in states},
        (await tx.execute(_OLDEST_DUE)).scalar_one(),
        (await tx.execute(_BACKLOG)).scalar_one(),
    )
