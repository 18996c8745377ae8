"""Takes a person out of what alerts keeps: contact, texts, timeline, and the bodies of what is sent or was.

Follow-ups stay in the state they were in, so that no number moves; whoever opens one reads that nobody is left to call.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Raw, structs
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.changes import changed
from services.alerts.records import PETLA
from services.alerts.states import OPEN
from services.alerts.store import followups, journal, persons
from services.alerts.store.persons import Happened
from shared.erasure.anonymous import anonymous
from shared.erasure.belongings import Belongings
from shared.erasure.eraser import Swept
from shared.events.activity import CustomerUpdated
from shared.events.envelope import content_digest, decode_event, encode
from shared.events.followups import FollowupChanged
from shared.events.scores import FeedbackScored

_NOTE = "the customer was erased: nobody is left to contact"


class StepsOnTheirWay(Exception):  # noqa: N818 - a state that passes within a lease
    """What is read already would be on the log after it was rewritten: try again in a moment."""


class Persons:
    """What alerts keeps, as the loop of erasures knows it."""

    name = "alerts"

    async def sweep(self, customer: str, at: datetime, tx: AsyncConnection) -> Swept:
        happened = await persons.happened(customer, at, tx)
        answers = await persons.answers(customer, at, tx)
        belongings = _belongings(happened, answers)
        found = await persons.followups(customer, at, [one.feedback for one in answers], belongings.orders, tx)
        if await persons.lock_steps(found, tx):
            raise StepsOnTheirWay("steps of a person who is erased are being written to the log")
        belongings.orders |= {order for order in found.values() if order}
        rows = await _empty(happened, answers, found, belongings, tx)
        return Swept(rows, belongings, [mark for one in happened for mark in _marks(one.told)])

    def customers(self, tx: AsyncConnection) -> AsyncIterator[str]:
        return persons.customers(tx)


async def sweep_nameless(belongings: Belongings, tx: AsyncConnection) -> int:
    """What is kept already, names nobody, and turns out to belong to an erased person."""
    found = await persons.nameless_followups(list(belongings.facts), belongings.orders, tx)
    return await _empty([], [], found, belongings, tx)


async def _empty(
    happened: Sequence[Happened],
    answers: Sequence[FeedbackScored],
    found: dict[UUID, str | None],
    belongings: Belongings,
    tx: AsyncConnection,
) -> int:
    """These, and what names nobody and belongs to them; adds that to the belongings."""
    happened = [*happened, *await persons.contacts(belongings, tx)]
    answers = [*answers, *await persons.nameless_answers(belongings.orders, found, tx)]
    belongings.update(_belongings(happened, answers))
    belongings.followups |= {str(id_) for id_ in found}
    await persons.empty_activity([(one.id, one.revision, _content(one)) for one in happened], tx)
    await persons.empty_answers([_without_person(one) for one in answers], tx)
    await persons.empty_followups(found, tx)
    steps = await persons.steps(found, tx)
    await persons.empty_steps([step._replace(value=_rest(step.value)) for step in steps], tx)
    await _note(found, tx)
    return len(happened) + len(answers) + len(found) + len(steps)


async def _note(found: dict[UUID, str | None], tx: AsyncConnection) -> None:
    """On those that somebody may still be working on."""
    if not found:
        return
    now = await followups.clock(tx)
    still_open = [one for one in await followups.lock(list(found), (), (), tx) if one.state in OPEN]
    await journal.move([changed(one, "commented", now, PETLA, note=_NOTE) for one in still_open], False, tx)


def _belongings(happened: Sequence[Happened], answers: Sequence[FeedbackScored]) -> Belongings:
    found = Belongings()
    for one in happened:
        found.add_fact(str(one.id), one.revision)
        found.add(one.told, "")  # no activity has a submission, which would be its sender's
    for answer in answers:
        found.add_fact(answer.feedback, answer.revision)
        found.add(answer, answer.sender)
    return found


def _content(one: Happened) -> bytes:
    """The digest of what a late copy is made into."""
    return content_digest(one.type, msgspec.json.encode(anonymous(one.told, str(one.id))))


def _without_person(answer: FeedbackScored) -> FeedbackScored:
    rest = anonymous(answer, answer.feedback)
    assert isinstance(rest, FeedbackScored)
    return rest


def _rest(value: bytes) -> bytes:
    """The event of a step as it would be, had it been about nobody."""
    event = decode_event(value)
    told = msgspec.json.decode(event.data, type=FollowupChanged)
    return encode(structs.replace(event, data=Raw(msgspec.json.encode(anonymous(told, told.feedback)))))


def _marks(told: msgspec.Struct) -> list[str | None]:
    """What a person is known by."""
    if not isinstance(told, CustomerUpdated):
        return []
    return [value for value in (told.name, told.email, told.phone) if isinstance(value, str)]
