"""When an order's delivery is late. Pure; the facts may come in any order.

A promise that is a date is kept until the end of that day: late is judged by the local date of completion, in the
offset that the event was sent with.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from shared.events.activity import DeliveryCompleted, DeliveryPromised, OrderPlaced

PLACED = "order.placed.v1"
PROMISED = "delivery.promised.v1"
COMPLETED = "delivery.completed.v1"
TYPES = (PLACED, PROMISED, COMPLETED)

_DECODERS: dict[str, "msgspec.json.Decoder[Any]"] = {
    PLACED: msgspec.json.Decoder(OrderPlaced),
    PROMISED: msgspec.json.Decoder(DeliveryPromised),
    COMPLETED: msgspec.json.Decoder(DeliveryCompleted),
}


class OrderFact(NamedTuple):
    """The current revision of one thing that happened to an order; `data` is its JSON."""

    type: str
    data: str
    time: datetime
    sender: str


class Delivery(NamedTuple):
    completed_at: datetime
    outcome: str  # late, on_time, no_promise
    sender: str
    store: str | None
    channel: str | None


def judge(facts: Sequence[OrderFact]) -> Delivery | None:
    """The delivery of an order, None while nothing has completed it.

    Of several promises the one with the earliest `time` counts, of several completions the earliest; what is equal
    in that is ordered by its content, so that the order of arrival decides nothing.
    """
    known: dict[str, list[tuple[Any, OrderFact]]] = {kind: [] for kind in TYPES}
    for fact in facts:
        known[fact.type].append((_DECODERS[fact.type].decode(fact.data), fact))
    if not known[COMPLETED]:
        return None
    completed, completion = min(known[COMPLETED], key=lambda pair: (pair[0].completed_at, pair[1].sender, pair[1].data))
    promises = sorted(known[PROMISED], key=lambda pair: (pair[1].time, pair[1].data))
    orders = sorted(known[PLACED], key=lambda pair: (pair[1].time, pair[1].data))
    order = orders[-1][0] if orders else OrderPlaced("-")
    outcome = _outcome(promises[0][0], completed.completed_at) if promises else "no_promise"
    return Delivery(completed.completed_at, outcome, completion.sender, order.store, order.channel)


def _outcome(promise: DeliveryPromised, completed_at: datetime) -> str:
    if promise.promised_date is not None:
        late = completed_at.date() > promise.promised_date
    else:
        late = promise.promised_at is not None and completed_at > promise.promised_at
    return "late" if late else "on_time"
