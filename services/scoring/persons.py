"""Takes a person out of what scoring keeps: every score, time and dimension stays, so that no number moves."""

import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.store import persons
from services.scoring.store.persons import Emptied, Fact
from shared.erasure.anonymous import anonymous, pseudonym
from shared.erasure.belongings import Belongings
from shared.erasure.eraser import Swept
from shared.events.activity import ACTIVITY, CustomerUpdated
from shared.events.envelope import content_digest
from shared.events.feedback import RETRACTED
from shared.events.identity import FEEDBACK_TYPES


class Persons:
    """What scoring keeps, as the loop of erasures knows it."""

    name = "scoring"

    async def sweep(self, customer: str, at: datetime, tx: AsyncConnection) -> Swept:
        """The rows keep a random name that nothing else knows."""
        facts, belongings = await everything(customer, at, tx)
        await _empty(facts, pseudonym(secrets.token_hex(16)), tx)
        return Swept(len(facts), belongings, [mark for fact in facts for mark in _marks(fact)])

    def customers(self, tx: AsyncConnection) -> AsyncIterator[str]:
        return persons.customers(tx)


async def everything(customer: str, until: datetime, tx: AsyncConnection) -> tuple[list[Fact], Belongings]:
    """The facts that name the customer, then those that name nobody and are theirs; and what is theirs."""
    named = await persons.named(customer, until, tx)
    belongings = _belongings(named)
    return [*named, *await _owned_by(belongings, tx)], belongings


async def sweep_nameless(belongings: Belongings, tx: AsyncConnection) -> int:
    """What is kept already, names nobody, and turns out to belong to an erased person."""
    facts = await _owned_by(belongings, tx)
    await _empty(facts, "", tx)
    return len(facts)


async def _owned_by(belongings: Belongings, tx: AsyncConnection) -> list[Fact]:
    """Adds them to the belongings."""
    contacts = await persons.contacts(belongings, tx)
    belongings.update(_belongings(contacts))
    answers = await persons.owned(belongings, tx)
    belongings.update(_belongings(answers))
    return [*contacts, *answers]


def _belongings(facts: Sequence[Fact]) -> Belongings:
    found = Belongings()
    for fact in facts:
        found.add_fact(fact.id, fact.revision)
        found.add(fact.told, fact.sender)
    return found


async def _empty(facts: Sequence[Fact], customer: str, tx: AsyncConnection) -> None:
    emptied = [(fact, _emptied(fact, customer)) for fact in facts]
    await persons.empty_feedback([row for fact, row in emptied if fact.type in FEEDBACK_TYPES], tx)
    others = [(row, _object_id(fact, customer)) for fact, row in emptied if fact.type not in FEEDBACK_TYPES]
    await persons.empty_activity(others, tx)


def _emptied(fact: Fact, customer: str) -> Emptied:
    kept = msgspec.json.encode(anonymous(fact.told, fact.id, customer))
    kind = fact.type if fact.type not in FEEDBACK_TYPES else "retraction" if fact.type == RETRACTED else "answer"
    # Of what a late copy is made into: that knows no random name.
    content = content_digest(kind, msgspec.json.encode(anonymous(fact.told, fact.id)))
    return Emptied(fact.id, fact.revision, kept.decode(), content)


def _object_id(fact: Fact, customer: str) -> str:
    told = anonymous(fact.told, fact.id, customer)
    return str(getattr(told, ACTIVITY[fact.type][1]))


def _marks(fact: Fact) -> list[str | None]:
    """What a person is known by."""
    told = fact.told
    if not isinstance(told, CustomerUpdated):
        return []
    return [value for value in (told.name, told.email, told.phone) if isinstance(value, str)]
