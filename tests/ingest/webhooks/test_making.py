"""An activity is admitted in one pass as it would be by the door, byte for byte, or refused in the same words."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.webhooks import making
from services.ingest.webhooks.making import Made, at_revision
from shared.events.fields import EventError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORDER = {"order_id": "o-1", "total": {"amount": 1999, "currency": "PLN"}, "channel": None, "unknown": [1]}
DEEP: Any = 1
for _ in range(40):
    DEEP = [DEEP]


def event(kind: str = "order.placed.v1", data: Any = ORDER, **attributes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "o-1", "source": "/shop", "type": kind, **attributes, "data": data}


def outcome(given: dict[str, Any], revision: int, traceparent: str | None) -> Made | tuple[str, str]:
    try:
        return at_revision(given, revision, "shop", NOW, traceparent)
    except EventError as error:
        return error.code, str(error)


@pytest.mark.parametrize("traceparent", [None, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
@pytest.mark.parametrize("revision", [0, 1, 2**53 - 1, 2**53, -1])
@pytest.mark.parametrize(
    ("given", "straight"),
    [
        (event(), True),
        (event(time="2026-11-20T10:00:00.5+01:00"), True),
        (event(data={"order_id": "ż" * 256, "items": [{"name": "Kubek", "quantity": 2}]}), True),
        (event("order.cancelled.v1"), True),
        (event("customer.updated.v1", {"customer": "c-1", "email": None, "consent": {"survey": False}}), True),
        (event("customer.erase_requested.v1", {"customer": "c-1"}), True),
        (event("delivery.promised.v1", {"order_id": "o-1", "promised_date": "2026-11-22"}), True),
        (event("call.ended.v1", {"call_id": "1", "outcome": "answered", "wait_seconds": -0.0}), True),
        (event("delivery.promised.v1", {"order_id": "o-1"}), False),
        (event("feedback.received.v1", {"metric": "nps", "score": 7}), False),
        (event("order.unknown.v1"), False),
        (event(data={**ORDER, "order_id": "o\n1"}), False),
        (event(data={**ORDER, "order_id": "o\x7f1"}), False),
        (event(data={**ORDER, "other": "a\\b"}), False),
        (event(data={**ORDER, "other": DEEP}), False),
        (event(data={**ORDER, "order_id": "x" * 257}), False),
        (event(data={**ORDER, "order_id": 7}), False),
        (event(data={**ORDER, "other": "x" * 300_000}), False),
        (event(time="2027-11-20T10:00:00Z"), False),
        (event(time="2026-11-20 10:00"), False),
        (event(time=7), False),
        (event(id="", source="x"), False),
    ],
)
def test_it_stands_on_the_log_as_admission_writes_it(
    given: dict[str, Any], straight: bool, revision: int, traceparent: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if straight and 0 <= revision < 2**53:
        with monkeypatch.context() as patched:
            patched.setattr(making, "from_document", None)  # the door's way is not gone
            found = outcome(given, revision, traceparent)
    else:
        found = outcome(given, revision, traceparent)
    monkeypatch.setattr(making, "_DECODERS", {})
    assert found == outcome(given, revision, traceparent)
