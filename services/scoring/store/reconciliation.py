"""What the reconciliation holds against each other: rows on one side; offsets and tallies come from the consumer."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.reconciliation import Rows

_FEEDBACK = text("""
    SELECT count(*) FILTER (WHERE superseded_at IS NULL AND NOT retracted),
        count(*) FILTER (WHERE superseded_at IS NULL AND retracted),
        count(*) FILTER (WHERE superseded_at IS NOT NULL)
    FROM feedback""")
_DETRACTORS = text("""
    SELECT CASE WHEN f.id IS NOT NULL THEN 'followup' ELSE coalesce(s.reason, 'missing') END, count(*)
    FROM feedback a LEFT JOIN followup f ON f.feedback = a.id AND f.state <> 'withdrawn'
        LEFT JOIN suppression s ON s.feedback = a.id AND s.revision = a.revision
    WHERE a.superseded_at IS NULL AND a.group_name = 'detractor' GROUP BY 1""")
_UNPUBLISHED = text("SELECT count(*) FROM consumer_offset WHERE topic = :feedback AND published < next_offset")
_ALERTS = text("SELECT topic, partition, next_offset FROM alerts_position")
_NOW = text("SELECT now()")


async def rows(feedback_topic: str, tx: AsyncConnection) -> Rows:
    scored, retracted, superseded = (await tx.execute(_FEEDBACK)).one()
    alerts: dict[str, dict[int, int]] = {}
    for topic, partition, next_offset in await tx.execute(_ALERTS):
        alerts.setdefault(topic, {})[partition] = next_offset
    return Rows(
        at=(await tx.execute(_NOW)).scalar_one(),
        scored=scored,
        retracted=retracted,
        superseded=superseded,
        detractors=dict((await tx.execute(_DETRACTORS)).all()),
        unpublished=(await tx.execute(_UNPUBLISHED, {"feedback": feedback_topic})).scalar_one(),
        alerts_positions=alerts,
    )
