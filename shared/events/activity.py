"""`petla.activity`: what happened around a customer, outside of surveys.

Written by ingest, read by scoring and alerts.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from shared.events.fields import EventError, Instant, Money, Name, Seconds, check_date, check_instant

CUSTOMER_UPDATED = "customer.updated.v1"

Quantity = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Optional = Name | None


class Consent(Struct, omit_defaults=True):
    """What the customer allows. Left out means unchanged."""

    contact: bool | UnsetType = UNSET
    survey: bool | UnsetType = UNSET


class CustomerUpdated(Struct):
    """Fields merge one by one, the newest `time` wins; null clears, a field left out stays as it is."""

    customer: Name
    name: Name | UnsetType | None = UNSET
    email: Name | UnsetType | None = UNSET
    phone: Name | UnsetType | None = UNSET
    language: Name | UnsetType | None = UNSET
    segment: Name | UnsetType | None = UNSET
    consent: Consent | UnsetType | None = UNSET


class OrderItem(Struct, omit_defaults=True):
    product: Name | None = None
    name: Name | None = None
    quantity: Quantity | None = None
    price: Money | None = None


class OrderPlaced(Struct, omit_defaults=True):
    order_id: Name
    customer: Optional = None
    total: Money | None = None
    store: Optional = None
    channel: Optional = None
    items: list[OrderItem] | None = None


class OrderCancelled(Struct):
    order_id: Name


class DeliveryPromised(Struct, omit_defaults=True):
    """A promise that is a date is kept until the end of that day; `promised_at` is a moment."""

    order_id: Name
    promised_date: date | None = None
    promised_at: Instant | None = None

    def check(self) -> None:
        if (self.promised_date is None) == (self.promised_at is None):
            raise EventError("data.promised_date", "missing", "give one of promised_date (YYYY-MM-DD), promised_at")
        check_date("data.promised_date", self.promised_date)
        check_instant("data.promised_at", self.promised_at)


class DeliveryCompleted(Struct):
    """`completed_at` keeps its offset: late is judged by the local date at the customer's door."""

    order_id: Name
    completed_at: Instant

    def check(self) -> None:
        check_instant("data.completed_at", self.completed_at)


class ReturnRequested(Struct):
    return_id: Name
    order_id: Name


class RefundIssued(Struct):
    refund_id: Name
    order_id: Name
    amount: Money


class ContactOpened(Struct, omit_defaults=True):
    contact_id: Name
    customer: Optional = None
    order_id: Optional = None
    topic: Optional = None
    channel: Optional = None


class ContactReplied(Struct):
    contact_id: Name
    by: Literal["agent", "customer"]
    public: bool


class ContactResolved(Struct):
    contact_id: Name


class ContactReopened(Struct):
    contact_id: Name


class CallEnded(Struct, omit_defaults=True):
    call_id: Name
    outcome: Literal["answered", "abandoned"]
    wait_seconds: Seconds
    talk_seconds: Seconds | None = None
    contact_id: Optional = None
    agent: Optional = None

    def check(self) -> None:
        # -0.0 becomes 0.0: one content for one call.
        self.wait_seconds += 0.0
        if self.talk_seconds is not None:
            self.talk_seconds += 0.0


class SessionEnded(Struct, omit_defaults=True):
    session_id: Name
    ordered: bool
    customer: Optional = None


class SurveyInvited(Struct, omit_defaults=True):
    invitation_id: Name
    survey_id: Name
    customer: Name
    channel: Optional = None


class SurveyBounced(Struct, omit_defaults=True):
    invitation_id: Name
    survey_id: Name
    customer: Name
    channel: Optional = None


ACTIVITY_RETRACTED = "activity.retracted.v1"


class ActivityRetracted(Struct):
    """The fact of the event's `factid` is none after all; `retracts` was its type.

    Only ingest writes it, when a source's rules were mended: it names the fact by its hash, so it names no person.
    """

    retracts: Name


# A type, its struct, and the field that names the object: records of one object share a key.
ACTIVITY: dict[str, tuple[type[Struct], str]] = {
    CUSTOMER_UPDATED: (CustomerUpdated, "customer"),
    "order.placed.v1": (OrderPlaced, "order_id"),
    "order.cancelled.v1": (OrderCancelled, "order_id"),
    "delivery.promised.v1": (DeliveryPromised, "order_id"),
    "delivery.completed.v1": (DeliveryCompleted, "order_id"),
    "return.requested.v1": (ReturnRequested, "order_id"),
    "refund.issued.v1": (RefundIssued, "order_id"),
    "contact.opened.v1": (ContactOpened, "contact_id"),
    "contact.replied.v1": (ContactReplied, "contact_id"),
    "contact.resolved.v1": (ContactResolved, "contact_id"),
    "contact.reopened.v1": (ContactReopened, "contact_id"),
    "call.ended.v1": (CallEnded, "call_id"),
    "session.ended.v1": (SessionEnded, "session_id"),
    "survey.invited.v1": (SurveyInvited, "invitation_id"),
    "survey.bounced.v1": (SurveyBounced, "invitation_id"),
}
