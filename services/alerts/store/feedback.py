"""What was seen of every scored feedback, and which of them were suppressed."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as insert_into
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts import records
from services.alerts.models import Suppression
from shared.events.followups import FollowupSuppressed
from shared.events.scores import FeedbackScored
from shared.statements import fetch

_SUPPRESSION = Suppression.metadata.tables["suppression"]

# Rows are locked in the order of their ids, so two batches cannot wait for each other. A row that was there before has
# an `xmax`, for it has been locked; one that was inserted has none.
_REMEMBER = """
    INSERT INTO seen_feedback AS seen (feedback, revision, answer)
    SELECT feedback, revision, CAST(answer AS jsonb)
    FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS v(feedback, revision, answer)
    ORDER BY feedback
    ON CONFLICT (feedback) DO UPDATE SET revision = excluded.revision, answer = excluded.answer
        WHERE seen.revision < excluded.revision
    RETURNING feedback, keeps, xmax <> 0 AS was_seen"""
_KEEP = text("""
    UPDATE seen_feedback seen SET keeps = v.keeps
    FROM unnest(CAST(:feedbacks AS uuid[]), CAST(:keeps AS uuid[])) AS v(feedback, keeps)
    WHERE seen.feedback = v.feedback""")
_KEEPERS = text("""
    SELECT keeps, CAST(answer AS text) FROM seen_feedback WHERE keeps = ANY(CAST(:followups AS uuid[]))""")

_answer = msgspec.json.Decoder(FeedbackScored).decode


class Seen(NamedTuple):
    """`answer` is None for what is not a detractor: nothing of it needs to be known."""

    feedback: UUID
    revision: int
    answer: FeedbackScored | None


class Remembered(NamedTuple):
    """Which follow-up the feedback keeps alive so far, and whether an earlier revision of it was seen."""

    keeps: UUID | None
    was_seen: bool


async def remember(revisions: Collection[Seen], tx: AsyncConnection) -> dict[UUID, Remembered]:
    """Keep what is higher than anything seen before, and only that is in the answer."""
    rows = await fetch(
        tx,
        _REMEMBER,
        [one.feedback for one in revisions],
        [one.revision for one in revisions],
        [msgspec.json.encode(one.answer).decode() if one.answer else None for one in revisions],
    )
    return {feedback: Remembered(keeps, was_seen) for feedback, keeps, was_seen in rows}


async def keep(followups: Mapping[UUID, UUID | None], tx: AsyncConnection) -> None:
    """Which follow-up each feedback keeps alive from now on."""
    if followups:
        await tx.execute(_KEEP, {"feedbacks": list(followups), "keeps": list(followups.values())})


async def keepers(followups: Collection[UUID], tx: AsyncConnection) -> dict[UUID, list[FeedbackScored]]:
    """The answers that keep each of the follow-ups alive."""
    found: dict[UUID, list[FeedbackScored]] = {}
    for followup, answer in await tx.execute(_KEEPERS, {"followups": list(followups)}):
        found.setdefault(followup, []).append(_answer(answer))
    return found


async def suppress(suppressions: Sequence[FollowupSuppressed], tx: AsyncConnection) -> None:
    rows = [
        {
            "feedback": UUID(told.feedback),
            "revision": told.version,
            "reason": told.reason,
            "joined": UUID(told.followup_id) if told.followup_id else None,
            "at": told.at,
            "value": records.suppression(told),
        }
        for told in suppressions
    ]
    if rows:
        await tx.execute(insert_into(_SUPPRESSION).on_conflict_do_nothing(), rows)
