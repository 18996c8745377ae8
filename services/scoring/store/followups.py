"""What alerts told of its follow-ups: merged by version, so that any order and any repetition end the same."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.rows import Step
from services.scoring.store.registers import columns
from shared.statements import fetch

_OPENED = ("opened_at", "priority", "metric", "score", "scale_max")
_NEWEST_OPENING = ", ".join(
    f"{name} = CASE WHEN excluded.opened_version > f.opened_version THEN excluded.{name} ELSE f.{name} END"
    for name in _OPENED
)
_MERGE = f"""
    INSERT INTO followup AS f ({", ".join(Step._fields)})
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::text[], $5::timestamptz[], $6::integer[],
        $7::timestamptz[], $8::text[], $9::text[], $10::integer[], $11::integer[], $12::integer[],
        $13::timestamptz[])
    ON CONFLICT (id) DO UPDATE SET
        state = CASE WHEN excluded.version > f.version THEN excluded.state ELSE f.state END,
        version = greatest(f.version, excluded.version),
        first_attempt_at = least(f.first_attempt_at, excluded.first_attempt_at),
        first_attempt_due = CASE WHEN excluded.due_version > f.due_version THEN excluded.first_attempt_due
            ELSE f.first_attempt_due END,
        due_version = greatest(f.due_version, excluded.due_version),
        {_NEWEST_OPENING},
        opened_version = greatest(f.opened_version, excluded.opened_version)"""
_SUPPRESS = text("""
    INSERT INTO suppression (feedback, revision, reason, followup_id, at)
    SELECT * FROM unnest(CAST(:feedback AS uuid[]), CAST(:revision AS bigint[]), CAST(:reason AS text[]),
        CAST(:followup_id AS uuid[]), CAST(:at AS timestamptz[]))
    ON CONFLICT DO NOTHING""")
_POSITIONS = text("""
    INSERT INTO alerts_position AS p (topic, partition, next_offset, at)
    SELECT * FROM unnest(CAST(:topic AS text[]), CAST(:partition AS integer[]), CAST(:next_offset AS bigint[]),
        CAST(:at AS timestamptz[]))
    ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, at = excluded.at
    WHERE excluded.at > p.at""")


async def merge_steps(steps: Sequence[Step], tx: AsyncConnection) -> None:
    """Several steps of one follow-up are merged one round after another: a statement may touch a row only once."""
    rounds: list[dict[UUID, Step]] = []
    for step in sorted(steps, key=lambda step: (step.id, step.version)):
        place = next((each for each in rounds if step.id not in each), None)
        if place is None:
            rounds.append(place := {})
        place[step.id] = step
    for each in rounds:
        await fetch(tx, _MERGE, *zip(*each.values(), strict=True))


async def suppress(rows: Sequence[tuple[UUID, int, str, UUID | None, datetime]], tx: AsyncConnection) -> None:
    await tx.execute(_SUPPRESS, columns(("feedback", "revision", "reason", "followup_id", "at"), rows))


async def put_positions(rows: Sequence[tuple[str, int, int, datetime]], tx: AsyncConnection) -> None:
    """`rows` are topic, partition, next offset, time; the newest of each partition stays."""
    newest = {row[:2]: row for row in sorted(rows, key=lambda row: row[3])}
    ordered = [newest[key] for key in sorted(newest)]
    await tx.execute(_POSITIONS, columns(("topic", "partition", "next_offset", "at"), ordered))
