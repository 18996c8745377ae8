"""The rollup table: counts by metric, one dimension, day, score and partition."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.rollups import Deltas
from shared.statements import fetch

_ADD = """
    INSERT INTO rollup AS r (metric, dimension, value, day, scale_min, scale_max, direction, score, excluded,
        partition, n)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::integer[], $6::integer[], $7::text[],
        $8::integer[], $9::text[], $10::integer[], $11::bigint[])
    ON CONFLICT (metric, dimension, day, value, scale_min, scale_max, direction, score, excluded, partition)
    DO UPDATE SET n = r.n + excluded.n"""


async def add(deltas: Deltas, tx: AsyncConnection) -> None:
    """Sorted, so that two transactions meeting in the same cells wait for one another instead of deadlocking."""
    changed = sorted((cell, n) for cell, n in deltas.items() if n)
    if changed:
        await fetch(tx, _ADD, *zip(*(cell for cell, _ in changed), strict=True), [n for _, n in changed])
