"""What happened around a customer, in one English sentence each. Pure; pages translate by `kind`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import UNSET, Struct

from shared.events.activity import ACTIVITY
from shared.events.fields import Money
from shared.events.scores import FeedbackScored

MAX_ENTRIES = 200

# ISO 4217: currencies whose minor unit is not a hundredth.
_WHOLE = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF")
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


class Entry(NamedTuple):
    """`kind` is the type of the event without its version, `ref` the id of the object it is about."""

    at: datetime
    kind: str
    ref: str
    text: str


def happened(type_: str, at: datetime, told: Struct) -> Entry:
    """An event of `petla.activity`."""
    _, names_object = ACTIVITY[type_]
    return Entry(at, _kind(type_), getattr(told, names_object), _SENTENCES[type_](told))


def answered(scored: FeedbackScored) -> Entry:
    """An answer that keeps the follow-up alive."""
    scale = "" if scored.scale_max is None else f" on {scored.scale_min:g}–{scored.scale_max:g}"
    score = "" if scored.score is None else f" {scored.score:g}{scale}"
    return Entry(scored.time, "feedback.received", scored.feedback, f"Answered {scored.metric}{score}{_quoted(scored)}")


def newest(entries: list[Entry]) -> list[Entry]:
    """The newest first, at most MAX_ENTRIES."""
    return sorted(entries, key=lambda entry: (entry.at, entry.kind, entry.ref), reverse=True)[:MAX_ENTRIES]


def _kind(type_: str) -> str:
    return type_.rpartition(".")[0]


def _quoted(scored: FeedbackScored) -> str:
    return f": “{scored.text}”" if scored.text else ""


def _money(money: Money) -> str:
    decimals = 0 if money.currency in _WHOLE else 3 if money.currency in _THOUSANDTHS else 2
    return f"{money.amount / 10**decimals:.{decimals}f} {money.currency}"


def _customer_updated(told: Any) -> str:
    fields = ("name", "email", "phone", "language", "segment", "consent")
    changed = [field for field in fields if getattr(told, field) is not UNSET]
    return f"Customer updated: {', '.join(changed)}" if changed else "Customer updated"


def _order_placed(told: Any) -> str:
    return "Order placed" if told.total is None else f"Order placed: {_money(told.total)}"


def _promised(told: Any) -> str:
    when = told.promised_at.isoformat(" ", "minutes") if told.promised_at else told.promised_date.isoformat()
    return f"Delivery promised for {when}"


def _contact_opened(told: Any) -> str:
    by = f" by {told.channel}" if told.channel else ""
    about = f" about {told.topic}" if told.topic else ""
    return f"Contact opened{by}{about}"


def _contact_replied(told: Any) -> str:
    who = "The agent" if told.by == "agent" else "The customer"
    return f"{who} replied" if told.public else f"{who} left an internal note"


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "customer.updated.v1": _customer_updated,
    "order.placed.v1": _order_placed,
    "order.cancelled.v1": lambda told: "Order cancelled",
    "delivery.promised.v1": _promised,
    "delivery.completed.v1": lambda told: f"Delivered at {told.completed_at.isoformat(' ', 'minutes')}",
    "return.requested.v1": lambda told: f"Return requested for order {told.order_id}",
    "refund.issued.v1": lambda told: f"Refund of {_money(told.amount)} for order {told.order_id}",
    "contact.opened.v1": _contact_opened,
    "contact.replied.v1": _contact_replied,
    "contact.resolved.v1": lambda told: "Contact resolved",
    "contact.reopened.v1": lambda told: "Contact reopened",
    "call.ended.v1": lambda told: f"Call {told.outcome} after waiting {told.wait_seconds:.0f} s",
    "session.ended.v1": lambda told: "Visit that ended with an order" if told.ordered else "Visit without an order",
    "survey.invited.v1": lambda told: f"Invited to survey {told.survey_id}",
    "survey.bounced.v1": lambda told: f"Invitation to survey {told.survey_id} could not be delivered",
}
