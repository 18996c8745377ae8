"""A customer who takes back the consent to be contacted is not called about what is open already.

Where nobody has tried yet, the follow-up is withdrawn, its answers are suppressed as `no_contact_consent`, and who was
still to be told of it outside is not. Where somebody has, it stays, with a note.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.changes import Change, changed
from services.alerts.models import Followup
from services.alerts.records import PETLA
from services.alerts.states import OPEN, UNATTEMPTED
from services.alerts.store import customers, feedback, followups, journal, notifications
from shared.events.followups import FollowupSuppressed
from shared.events.scores import FeedbackScored

NOTE = "the customer does not want to be contacted"


async def respect(told: Collection[str], tx: AsyncConnection) -> int:
    """`told` are customers of whom something new is known; how many follow-ups changed."""
    refusing = await customers.refusing(told, tx)
    if not refusing:
        return 0
    found = [one for one in await followups.lock_of(refusing, OPEN, NOTE, tx) if one.state in OPEN]
    if not found:
        return 0
    now = await followups.clock(tx)
    unattempted = [one.id for one in found if one.state in UNATTEMPTED]
    await _suppress(unattempted, now, tx)
    await notifications.give_up(unattempted, NOTE, tx)
    await journal.move([_change(one, now) for one in found], False, tx)
    return len(found)


def _change(followup: Followup, now: datetime) -> Change:
    if followup.state not in UNATTEMPTED:
        return changed(followup, "commented", now, PETLA, note=NOTE)
    followup.state = "withdrawn"
    return changed(followup, "withdrawn", now, PETLA, note=NOTE)


async def _suppress(ids: Collection[UUID], now: datetime, tx: AsyncConnection) -> None:
    """Every answer that kept one of them alive keeps none any more, and is accounted for."""
    keepers = [answer for answers in (await feedback.keepers(ids, tx)).values() for answer in answers]
    await feedback.keep({UUID(answer.feedback): None for answer in keepers}, tx)
    await feedback.suppress([_suppressed(answer, now) for answer in keepers], tx)


def _suppressed(answer: FeedbackScored, now: datetime) -> FollowupSuppressed:
    return FollowupSuppressed(
        feedback=answer.feedback, version=answer.revision, reason="no_contact_consent", at=now, by=PETLA
    )
