"""What belongs to a person beside the events that name them: by these are events found that name nobody. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from shared.erasure.anonymous import customer_of
from shared.events.activity import ContactOpened, CustomerUpdated, OrderPlaced
from shared.events.envelope import object_key
from shared.events.feedback import Answer, Retraction
from shared.events.followups import FollowupChanged
from shared.events.raw import WebhookReceived
from shared.events.scores import FeedbackScored

_PERSONAL = (
    Answer, Retraction, FeedbackScored, CustomerUpdated, OrderPlaced, ContactOpened, FollowupChanged, WebhookReceived,
)  # fmt: skip


def is_personal(told: Struct) -> bool:
    """Whether it may hold something of a person; what happens to an order or a contact does not."""
    return customer_of(told) is not None or isinstance(told, _PERSONAL)


@dataclass
class Belongings:
    """Facts with their highest revision; the others by their names, a submission with its sender."""

    facts: dict[str, int] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    contacts: set[str] = field(default_factory=set)
    submissions: set[tuple[str, str]] = field(default_factory=set)
    followups: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.facts or self.followups)

    def add_fact(self, fact: str, revision: int) -> None:
        self.facts[fact] = max(revision, self.facts.get(fact, 0))

    def add(self, told: Any, sender: str) -> None:
        """What an event of the person says is theirs."""
        match told:
            case OrderPlaced():
                self.orders.add(told.order_id)
            case ContactOpened():
                self.contacts.add(told.contact_id)
                self._add(told.order_id, self.orders)
            case Answer() | FeedbackScored():
                self._add(told.order_id, self.orders)
                self._add(getattr(told, "contact_id", None), self.contacts)
                if told.submission_id is not None:
                    self.submissions.add((sender, told.submission_id))
            case FollowupChanged():
                self.followups.add(told.followup_id)
                self._add(told.order_id, self.orders)
            case _:
                pass

    def _add(self, name: str | None, names: set[str]) -> None:
        if name is not None:
            names.add(name)

    def named(self) -> Iterator[tuple[str, ...]]:
        """Kind and name of everything but the facts, and under which keys the records about it lie."""
        yield from (("order", name) for name in self.orders)
        yield from (("key", object_key("order_id", name).hex()) for name in self.orders)
        yield from (("key", object_key("contact_id", name).hex()) for name in self.contacts)
        yield from (("contact", name) for name in self.contacts)
        yield from (("submission", *names) for names in self.submissions)
        yield from (("followup", name) for name in self.followups)

    def update(self, other: "Belongings") -> None:
        for fact, revision in other.facts.items():
            self.add_fact(fact, revision)
        self.orders |= other.orders
        self.contacts |= other.contacts
        self.submissions |= other.submissions
        self.followups |= other.followups


def owners(told: Any, sender: str) -> Iterator[tuple[str, ...]]:
    """Kind and name of everything that an event without a customer may belong through."""
    for attribute, kind in (("order_id", "order"), ("contact_id", "contact"), ("followup_id", "followup")):
        if name := getattr(told, attribute, None):
            yield kind, name
    if submission := getattr(told, "submission_id", None):
        yield "submission", getattr(told, "sender", sender), submission
    if isinstance(told, WebhookReceived):  # one delivery may be about several, and goes with the first
        yield from of_delivery((one.fact, one.key) for one in told.events)


def of_delivery(events: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Of a delivery's events, each its fact and its record's key.

    What happens to an order or in a contact names nobody, but the delivery says it in words: an address, a message.
    Keys are short: of four thousand million deliveries one goes with a stranger's order, and cannot be replayed then.
    """
    for fact, key in events:
        yield "fact", fact
        yield "key", key
