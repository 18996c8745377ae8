"""The rollup table: counts by metric, one dimension, day, score and partition."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.rollups import Cell, Deltas
from services.scoring.store.registers import columns

_ADD = text("""
    INSERT INTO rollup AS r (metric, dimension, value, day, scale_min, scale_max, direction, score, excluded,
        partition, n)
    SELECT * FROM unnest(CAST(:metric AS text[]), CAST(:dimension AS text[]), CAST(:value AS text[]),
        CAST(:day AS date[]), CAST(:scale_min AS integer[]), CAST(:scale_max AS integer[]),
        CAST(:direction AS text[]), CAST(:score AS integer[]), CAST(:excluded AS text[]),
        CAST(:partition AS integer[]), CAST(:n AS bigint[]))
    ON CONFLICT (metric, dimension, day, value, scale_min, scale_max, direction, score, excluded, partition)
    DO UPDATE SET n = r.n + excluded.n""")


async def add(deltas: Deltas, tx: AsyncConnection) -> None:
    """Sorted, so that two transactions meeting in the same cells wait for one another instead of deadlocking."""
    changed = sorted((cell, n) for cell, n in deltas.items() if n)
    if changed:
        cells = columns(Cell._fields, [cell for cell, _ in changed])
        await tx.execute(_ADD, {**cells, "n": [n for _, n in changed]})
