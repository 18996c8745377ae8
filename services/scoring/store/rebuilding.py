"""The rollups counted anew from the facts, as the handlers would have counted them in another zone's days."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.metrics.windows import midnight
from services.scoring.rollups import DIMENSIONS, TOTAL
from services.scoring.store.facts import Facts, facts_of
from shared.consumer.leases import LEASE_SECONDS

_READING = text(f"""
    SELECT count(*) FROM worker WHERE seen > clock_timestamp() - interval '{LEASE_SECONDS} s'""")
_RANGE = text("""
    SELECT min(t), max(t) FROM (
        SELECT min(time) AS t FROM feedback UNION ALL SELECT max(time) FROM feedback
        UNION ALL SELECT min(completed_at) FROM delivery UNION ALL SELECT max(completed_at) FROM delivery) AS times""")
_EMPTY = text("DELETE FROM rollup")
_COUNT = text("SELECT count(*) FROM rollup")
# As the rollups keep what the facts call by name.
_JUDGED = "0, 10, 'lower_better', CASE d.outcome WHEN 'late' THEN 10 ELSE 0 END,"


async def anybody_reads(tx: AsyncConnection) -> bool:
    """Whether a worker was seen as lately as one that runs."""
    return bool((await tx.execute(_READING)).scalar_one())


async def rebuild(zone: ZoneInfo, tx: AsyncConnection) -> int:
    """The number of cells. All of them are the first partition's: only sums over partitions mean something."""
    await tx.execute(_EMPTY)
    first, last = (await tx.execute(_RANGE)).one()
    if first is None:
        return 0
    days = _days(first.astimezone(zone).date(), last.astimezone(zone).date())
    edges = [midnight(day, zone) for day in days]
    for metric, dimensions in DIMENSIONS.items():
        for facts in facts_of(metric):
            values = {"rolled": metric, "first": days[0], "edges": edges}
            if ":metric" in facts.where:
                values["metric"] = metric
            await tx.execute(text(_statement(facts, dimensions)), values)
    return int((await tx.execute(_COUNT)).scalar_one())


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _statement(facts: Facts, dimensions: tuple[str, ...]) -> str:
    counted = facts.counted.replace("0, 10, 'lower_better', d.outcome,", _JUDGED)
    named = ", ".join([f"('{TOTAL}', '')", *(f"('{name}', {facts.column(name)})" for name in dimensions)])
    return f"""
        INSERT INTO rollup (partition, metric, dimension, value, day,
            scale_min, scale_max, direction, score, excluded, n)
        SELECT 0, CAST(:rolled AS text), named.dimension, named.value,
            CAST(:first AS date) + (width_bucket({facts.time}, CAST(:edges AS timestamptz[])) - 1), {counted}
        FROM {facts.tables} CROSS JOIN LATERAL (VALUES {named}) AS named (dimension, value)
        WHERE {facts.where} AND named.value IS NOT NULL
        GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10"""
