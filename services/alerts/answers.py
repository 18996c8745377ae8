"""What new revisions of scored answers do to follow-ups: open, suppress, withdraw, bring back, note.

Where nobody has tried to reach the customer yet, a follow-up is withdrawn with the last answer that keeps it alive and
comes back with the next; later it stays and gets a note. Rows are locked before they are judged, in a fixed order, so
that two batches that meet wait for each other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts import rules
from services.alerts.changes import Change, back_to_new, changed, describe, opened
from services.alerts.models import Followup
from services.alerts.records import PETLA
from services.alerts.resurveys import answered_again
from services.alerts.settings import AlertsSettings
from services.alerts.states import UNATTEMPTED
from services.alerts.store import customers, feedback, followups, journal, openings
from services.alerts.store.customers import Standing
from services.alerts.verdicts import Known, News, Verdict, changed_note, lost_note, speaks_for
from shared.erasure.anonymous import is_pseudonym
from shared.events.followups import FollowupSuppressed
from shared.events.scores import FeedbackScored


class Followed(NamedTuple):
    """What is new: follow-ups, and detractors without one of their own."""

    opened: Sequence[Change]
    suppressed: Sequence[FollowupSuppressed]


async def follow_up(
    news: Sequence[News], settings: AlertsSettings, tx: AsyncConnection, erased: Collection[UUID]
) -> Followed:
    """`news`, in the order of the log: detractors, what kept a follow-up alive before, and who was asked about one.

    `erased` are the answers of erased persons: nobody is left to call.
    """
    known = Known()
    await _lock(news, known, tx)
    detractors = [one for one in news if one.is_detractor]
    standing = await customers.standing(_customers(one.scored for one in detractors), tx)
    now = standing.now
    _bar(detractors, known, settings, standing.refusing, erased)
    opened_here = await _open(known.without_followup(news), known, standing, settings, tx)
    ids = {change.followup.id for change in opened_here}
    verdicts = [known.judge(one) for one in news]
    await feedback.keep(_moved(verdicts, {change.followup.feedback for change in opened_here}), tx)
    suppressed = [_suppressed(verdict, now) for verdict in verdicts if verdict.reason]
    await feedback.suppress(suppressed, tx)
    await _tell(_notes(verdicts, known, ids), known, now, settings, tx)
    again = [change for verdict in verdicts for change in answered_again(verdict, known, now, settings)]
    await journal.move(again, settings.notifies, tx)
    return Followed(opened_here, suppressed)


async def _lock(news: Sequence[News], known: Known, tx: AsyncConnection) -> None:
    """A feedback that was never seen before has none yet."""
    ids = {id_ for one in news for id_ in (one.kept, one.about) if id_}
    feedbacks = {one.feedback for one in news if one.was_seen}
    submissions = {one.submission for one in news if one.submission}
    if ids or feedbacks or submissions:
        known.add(await followups.lock(ids, feedbacks, submissions, tx))


def _bar(
    detractors: Sequence[News],
    known: Known,
    settings: AlertsSettings,
    refusing: Collection[str],
    erased: Collection[UUID],
) -> None:
    for one in detractors:
        scored = one.scored
        gone = one.feedback in erased or is_pseudonym(scored.customer)
        consents = not gone and scored.customer not in refusing
        reason = rules.reason_not_to_contact(
            scored.time, scored.received_at, settings.max_feedback_age_days, consents=consents
        )
        if reason:
            known.barred[one.feedback] = reason


async def _open(
    news: Sequence[News], known: Known, standing: Standing, settings: AlertsSettings, tx: AsyncConnection
) -> list[Change]:
    """The new follow-ups. Where another batch opened one for the submission first, that one is known now."""
    if not news:
        return []
    hours = settings.first_attempt_hours
    planned = [
        opened(one.scored, one.submission, standing.now, hours, _value(one.scored, standing.order_values))._replace(
            traceparent=one.traceparent
        )
        for one in news
    ]
    inserted = await openings.insert(planned, settings.notifies, tx)
    done = [change for change in planned if change.followup.id in inserted]
    known.add(change.followup for change in done)
    taken = {change.followup.submission for change in planned if change.followup.id not in inserted}
    if taken:
        known.add(await followups.lock((), (), {submission for submission in taken if submission}, tx))
    return done


def _moved(verdicts: Sequence[Verdict], opened_for: Collection[UUID]) -> dict[UUID, UUID | None]:
    """What each feedback keeps from now on. One that a follow-up was opened for keeps that already."""
    return {
        verdict.news.feedback: verdict.keeps
        for verdict in verdicts
        if verdict.keeps != verdict.news.kept and verdict.news.feedback not in opened_for
    }


def _suppressed(verdict: Verdict, now: datetime) -> FollowupSuppressed:
    assert verdict.reason
    return FollowupSuppressed(
        feedback=verdict.news.scored.feedback,
        version=verdict.news.scored.revision,
        reason=verdict.reason,
        at=now,
        by=PETLA,
        followup_id=str(verdict.keeps) if verdict.keeps else None,
    )


def _notes(verdicts: Sequence[Verdict], known: Known, opened_here: Collection[UUID]) -> dict[UUID, list[str]]:
    """The follow-ups that were there before and that the verdicts touch, each with what is to be said about it."""
    notes: dict[UUID, list[str]] = {}
    for verdict in verdicts:
        kept, keeps = verdict.news.kept, verdict.keeps
        if kept and kept != keeps:
            notes.setdefault(kept, []).append(lost_note(verdict, known.by_id[kept]))
        if keeps and keeps not in opened_here and keeps != verdict.news.about:
            said = notes.setdefault(keeps, [])
            if kept == keeps or verdict.reason is None:  # who joins for the first time is told of as suppressed
                said.append(changed_note(verdict, known.by_id[keeps]))
    return notes


async def _tell(
    notes: Mapping[UUID, list[str]], known: Known, now: datetime, settings: AlertsSettings, tx: AsyncConnection
) -> None:
    if not notes:
        return
    keepers = await feedback.keepers(notes, tx)
    speakers = {id_: speaks_for(known.by_id[id_], answers) for id_, answers in keepers.items()}
    values = await customers.order_values(_customers(speakers.values()), tx)
    changes = []
    for id_, said in sorted(notes.items()):
        followup, speaker = known.by_id[id_], speakers.get(id_)
        if speaker and (said or followup.state == "withdrawn"):
            describe(followup, speaker, _value(speaker, values))
        changes.append(_change(followup, speaker is not None, "; ".join(said) or None, now, settings))
    await journal.move([change for change in changes if change], settings.notifies, tx)


def _change(
    followup: Followup, is_kept: bool, note: str | None, now: datetime, settings: AlertsSettings
) -> Change | None:
    if is_kept and followup.state == "withdrawn":
        return back_to_new(followup, now, settings.first_attempt_hours, note)
    if not is_kept and followup.state in UNATTEMPTED:
        followup.state = "withdrawn"
        return changed(followup, "withdrawn", now, PETLA, note=note)
    return changed(followup, "commented", now, PETLA, note=note) if note else None


def _customers(answers: Iterable[FeedbackScored]) -> set[str]:
    return {answer.customer for answer in answers if answer.customer}


def _value(answer: FeedbackScored, values: Mapping[str, int]) -> int:
    return values.get(answer.customer or "", 0)
