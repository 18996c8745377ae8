"""What is left of an event when the person is taken out of it: scores, times, dimensions and object numbers. Pure.

The same event gives the same rest whenever it is read, so that a late copy is still a duplicate.
"""

import re
from typing import Any

from msgspec import UNSET, Struct, structs

from shared.events.activity import ContactOpened, CustomerUpdated, OrderItem, OrderPlaced
from shared.events.feedback import Answer, Retraction
from shared.events.followups import FollowupChanged
from shared.events.raw import WebhookReceived
from shared.events.scores import FeedbackScored

ERASED = "erased"
_PSEUDONYM = re.compile(r"erased(-[0-9a-f]{32})?")
_PETLA = "petla"  # what it notes itself quotes nobody


def pseudonym(random: str) -> str:
    """A name that leads nowhere; `random` is 32 hexadecimal digits."""
    return f"{ERASED}-{random}"


def is_pseudonym(customer: str | None) -> bool:
    return customer is not None and _PSEUDONYM.fullmatch(customer) is not None


def customer_of(told: Struct) -> str | None:
    """Who the event names; None where it names nobody, or cannot."""
    return getattr(told, "customer", None)


def anonymous(told: Struct, fact: str, customer: str = ERASED) -> Struct:
    """A copy without name, contact, text and the sender's own names; `customer` stands where one was named."""
    named: dict[str, Any] = {} if customer_of(told) is None else {"customer": customer}
    return structs.replace(told, **(named | _emptied(told, fact)))


def _emptied(told: Struct, fact: str) -> dict[str, Any]:
    match told:
        case Answer():
            return {"text": None, "feedback_id": fact}
        case Retraction():
            return {"feedback_id": fact}
        case FeedbackScored():
            return {"text": None, "order_id": None}
        case CustomerUpdated():
            return dict.fromkeys(("name", "email", "phone", "language", "segment", "consent"), UNSET)
        case OrderPlaced():
            return {"items": None if told.items is None else [_unnamed(item) for item in told.items]}
        case ContactOpened():
            return {"topic": None}
        case FollowupChanged():
            note = told.note if told.by == _PETLA else None
            return {"customer": None, "order_id": None, "note": note, "action": None}
        case WebhookReceived():
            events = [structs.replace(one, name=one.fact) for one in told.events]
            return {"body": None, "headers": {}, "url": "", "message": None, "events": events}
        case _:
            return {}


def _unnamed(item: OrderItem) -> OrderItem:
    """What an item is called may be an engraving."""
    return structs.replace(item, name=None)
