"""Open follow-ups by deadline: those whose deadline runs first."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.waiting import OPEN, UNATTEMPTED, OpenFollowup, OpenFollowups

_STATES = {"open": list(OPEN), "unattempted": list(UNATTEMPTED)}
_WAITING = "(state = ANY(CAST(:unattempted AS text[])))"
_FIRST = text(f"""
    SELECT id, state, metric, score, scale_max, priority, first_attempt_due, first_attempt_at, {_WAITING} AS waiting
    FROM followup WHERE state = ANY(CAST(:open AS text[]))
    ORDER BY waiting DESC, first_attempt_due NULLS LAST, id LIMIT :limit""")
_TOTAL = text("SELECT count(*) FROM followup WHERE state = ANY(CAST(:open AS text[]))")
_DUE = text(f"""
    SELECT width_bucket(first_attempt_due, CAST(:edges AS timestamptz[])), count(*) FROM followup
    WHERE {_WAITING} AND first_attempt_due IS NOT NULL GROUP BY 1""")


async def read(edges: Sequence[datetime], limit: int, tx: AsyncConnection) -> OpenFollowups:
    """`edges` rise."""
    first = await tx.execute(_FIRST, {**_STATES, "limit": limit})
    total = (await tx.execute(_TOTAL, {"open": _STATES["open"]})).scalar_one()
    due = [0] * (len(edges) + 1)
    for place, n in await tx.execute(_DUE, {"unattempted": _STATES["unattempted"], "edges": list(edges)}):
        due[place] = n
    return OpenFollowups([OpenFollowup(*row) for row in first], total, due)
