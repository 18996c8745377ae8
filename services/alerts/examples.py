"""What is sent and answered, as it looks, for the OpenAPI document; tests read it with the models it stands for."""

from typing import Any

_ID = "5b7d1c02-93ae-8f64-a2c8-1e0f3d5b7a96"
_FEEDBACK = "0e2f9a41-6c1d-8b5e-9f30-7a1d2c4b6e80"

ACT: dict[str, Any] = {"version": 1, "by": "anna"}
ATTEMPT: dict[str, Any] = {"version": 2, "by": "anna", "channel": "phone", "outcome": "no_answer"}
COMMENT: dict[str, Any] = {"version": 3, "by": "anna", "note": "Woli telefon po 17:00."}
RESOLUTION: dict[str, Any] = {
    "version": 5,
    "by": "anna",
    "root_cause": "courier was late",
    "action": "refunded the delivery",
}

FOLLOWUP: dict[str, Any] = {
    "id": _ID,
    "version": 1,
    "state": "new",
    "priority": "high",
    "feedback": _FEEDBACK,
    "customer": "c-1",
    "order_id": "o-9",
    "metric": "nps",
    "score": 3.0,
    "text": "Paczka przyszła dwa dni po terminie.",
    "opened_at": "2026-11-20T09:00:02.118204Z",
    "first_attempt_due": "2026-11-21T09:00:02.118204Z",
    "overdue": False,
    "assignee": None,
    "level": 0,
    "root_cause": None,
    "action": None,
    "rule": "detractor@1",
}

PAGE: dict[str, Any] = {"items": [FOLLOWUP], "next_cursor": None, "total": 1}

_STEP = {"note": None, "channel": None, "outcome": None, "root_cause": None, "action": None}
DETAIL: dict[str, Any] = FOLLOWUP | {
    "version": 2,
    "state": "assigned",
    "assignee": "anna",
    "contact": {"name": "Anna Nowak", "phone": "+48 600 100 200", "email": "anna@example.com", "language": "pl"},
    "timeline": [
        {
            "at": "2026-11-20T09:00:00Z",
            "kind": "feedback.received",
            "ref": _FEEDBACK,
            "text": "Answered nps 3 on 0–10: “Paczka przyszła dwa dni po terminie.”",
        },
        {"at": "2026-11-15T11:04:00Z", "kind": "order.placed", "ref": "o-9", "text": "Order placed: 259.98 PLN"},
    ],
    "history": [
        {"version": 1, "at": "2026-11-20T09:00:02.118204Z", "by": "petla", "type": "opened", **_STEP},
        {"version": 2, "at": "2026-11-20T09:07:31.502117Z", "by": "anna", "type": "assigned", **_STEP},
    ],
}
