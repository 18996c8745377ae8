"""Records of an erased person lose what is personal before a handler sees them, and stay the facts they were.

Whose an event is: a revision of a fact that was erased is erased again, as long as it is no newer one. Else whoever is
named decides, by time: what happened or arrived until the erasure is erased, what came later is a customer who came
back. Where nobody is named, it belongs to whom its fact, order, contact, submission or follow-up belonged to.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Raw, structs
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.consumer.messages import Message
from shared.erasure import rows
from shared.erasure.anonymous import anonymous, customer_of
from shared.erasure.belongings import Belongings, is_personal, owners
from shared.erasure.names import Names
from shared.erasure.rows import Known
from shared.events.envelope import encode
from shared.events.scores import FeedbackScored

# Erases what is kept already and names nobody, but belongs to these; returns how many rows.
SweepNameless = Callable[[Belongings, AsyncConnection], Awaitable[int]]


class Erased(Protocol):
    async def without_person(self, messages: Sequence[Message], tx: AsyncConnection) -> Sequence[Message]:
        """The same messages; of erased persons the rest."""
        ...


class NobodyErased:
    """For whoever keeps no table of erasures."""

    async def without_person(self, messages: Sequence[Message], tx: AsyncConnection) -> Sequence[Message]:
        return messages


class Arrivals:
    """Of one service: `sweep_nameless` knows its tables."""

    def __init__(self, names: Names, sweep_nameless: SweepNameless) -> None:
        self._names = names
        self._sweep_nameless = sweep_nameless

    async def without_person(self, messages: Sequence[Message], tx: AsyncConnection) -> Sequence[Message]:
        """Erasures wait until `tx` has ended: a batch is either swept by one, or knows of it here."""
        if not await rows.share(tx):
            return messages
        rests, belongings = await self.rests(messages, tx)
        if belongings:
            await rows.remember(self._names, belongings, tx)
            await self._sweep_nameless(belongings, tx)
        if any(rest and rest.record != message.record for message, rest in zip(messages, rests, strict=True)):
            await rows.note_late(self._names, tx)
        return [rest or message for message, rest in zip(messages, rests, strict=True)]

    async def rests(self, messages: Sequence[Message], tx: AsyncConnection) -> tuple[list[Message | None], Belongings]:
        """What is left of each message of an erased person, None for the others; and what belonged to those persons."""
        wanted = {at: self._digests(one) for at, one in enumerate(messages) if is_personal(one.data)}
        known = await rows.find({digest for digests in wanted.values() for digest in digests}, tx)
        belongings = Belongings()
        erased: set[int] = set()
        while fresh := {at for at in wanted.keys() - erased if _is_erased(messages[at], wanted[at], known)}:
            erased |= fresh
            for at in fresh:
                _collect(messages[at], belongings)
            known |= self._known(belongings)
        return [without_person(one) if at in erased else None for at, one in enumerate(messages)], belongings

    def _digests(self, message: Message) -> list[bytes]:
        """The fact's first; then the customer's, or those of what it belongs to."""
        first = self._names.digest("fact", fact_of(message))
        if customer := customer_of(message.data):
            return [first, self._names.customer(customer)]
        return [first, *(self._names.digest(*owner) for owner in owners(message.data, message.event.sender))]

    def _known(self, belongings: Belongings) -> Known:
        return {self._names.digest(*name): rows.Row(None, None) for name in belongings.named()} | {
            self._names.digest("fact", fact): rows.Row(None, revision) for fact, revision in belongings.facts.items()
        }


def fact_of(message: Message) -> str:
    """What the event says is about this fact."""
    return str(getattr(message.data, "feedback", message.event.factid))


def _collect(message: Message, belongings: Belongings) -> None:
    belongings.add_fact(fact_of(message), message.event.revision)
    belongings.add(message.data, getattr(message.data, "sender", message.event.sender))


def _is_erased(message: Message, digests: Sequence[bytes], known: Known) -> bool:
    fact = known.get(digests[0])
    if fact and fact.revision is not None and message.event.revision <= fact.revision:
        return True
    if customer_of(message.data) is None:
        return any(digest in known for digest in digests)
    customer = known.get(digests[1])
    return customer is not None and customer.at is not None and any(one <= customer.at for one in _moments(message))


def _moments(message: Message) -> tuple[datetime, datetime]:
    """When it happened, and when it arrived."""
    told = message.data
    if isinstance(told, FeedbackScored):
        return told.time, told.received_at
    return message.event.time, message.event.receivedat


def without_person(message: Message) -> Message:
    """With the record that would have been written, had there been no person."""
    told = anonymous(message.data, fact_of(message))
    event = structs.replace(message.event, id=fact_of(message), data=Raw(msgspec.json.encode(told)))
    return Message(message.record._replace(value=encode(event)), event, told)
