"""Paths that no route of the framework stands behind, in the OpenAPI document by hand."""

import json
from typing import Any

import msgspec
from msgspec import Struct

from services.ingest.answers import BatchTaken, Taken
from services.ingest.door import PATH
from services.ingest.sent_event import Attributes
from services.ingest.splitting import MAX_BATCH_EVENTS
from services.ingest.webhooks.receiving import PREFIX
from services.ingest.webhooks.registry import NAME
from shared.events.catalogue import ACCEPTED_TYPES, TYPES
from shared.problems import DOCUMENTED

_REF = "#/components/schemas/{name}"

ANSWER = {
    "specversion": "1.0",
    "id": "r-17",
    "source": "/survey",
    "type": "feedback.received.v1",
    "time": "2026-11-20T10:00:00+01:00",
    "data": {"metric": "nps", "score": 3, "text": "Za późno", "customer": "c-1", "order_id": "o-9", "channel": "email"},
}
COMPLETED = {
    "specversion": "1.0",
    "id": "d-9",
    "source": "/shop",
    "type": "delivery.completed.v1",
    "data": {"order_id": "o-9", "completed_at": "2026-11-19T18:20:00+01:00"},
}
_FACT = "0e2f9a41-6c1d-8b5e-9f30-7a1d2c4b6e80"
TAKEN = {"id": _FACT, "durability": "local"}
PARTLY_TAKEN = {
    "accepted": 1,
    "rejected": 1,
    "items": [
        {"index": 0, "status": "accepted", **TAKEN},
        {
            "index": 1,
            "status": "rejected",
            "field": "data.score",
            "code": "out_of_range",
            "message": "11 is above scale_max 10",
        },
    ],
}


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Add the path and its schemas to what FastAPI made of the other routes."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(_schemas())
    components.setdefault("securitySchemes", {})["HTTPBearer"] = {"type": "http", "scheme": "bearer"}
    paths = document.setdefault("paths", {})
    paths[PATH] = {"post": _operation()}
    paths[PREFIX + "{source}"] = {"post": _delivery()}
    return document


def _delivery() -> dict[str, Any]:
    return {
        "summary": "Deliver to a source",
        "description": "What a sender's webhook posts; its signature stands in place of a key. 2xx for all that is the"
        " sender's, also for copies and for what no rule takes. docs/sources/README.md explains sources.",
        "operationId": "deliver",
        "security": [{}],  # the source's own
        "parameters": [
            {"name": "source", "in": "path", "required": True, "schema": {"type": "string", "pattern": NAME.pattern}}
        ],
        "requestBody": {
            "content": {
                "application/json": {"schema": {}, "example": {"type": "order.cancelled.v1", "id": "c-1"}},
                "application/x-www-form-urlencoded": {"schema": {"type": "object"}, "example": {"CallSid": "CA1"}},
            }
        },
        "responses": {"2XX": {"description": "Taken, and on the log"}, **DOCUMENTED},
    }


def _operation() -> dict[str, Any]:
    return {
        "summary": "Send events",
        "description": "One CloudEvents 1.0 object or a batch; or `ce-` headers with `data` as the body."
        " Sending the same again changes nothing.",
        "operationId": "send_events",
        "security": [{"HTTPBearer": []}],
        "requestBody": {"required": True, "content": _bodies()},
        "responses": {
            "202": _json("All taken, and on the log", {"anyOf": [_ref("Taken"), _ref("BatchTaken")]}, TAKEN),
            "207": _json("Some of a batch taken", _ref("BatchTaken"), PARTLY_TAKEN),
            **DOCUMENTED,
        },
    }


def _bodies() -> dict[str, Any]:
    event, batch = _ref("Event"), {"type": "array", "items": _ref("Event"), "minItems": 1, "maxItems": MAX_BATCH_EVENTS}
    one = {"answer": {"value": ANSWER}, "delivery": {"value": COMPLETED}}
    many = {"batch": {"value": [ANSWER, COMPLETED]}}
    return {
        "application/json": {"schema": {"anyOf": [event, batch]}, "examples": one | many},
        "application/cloudevents+json": {"schema": event, "examples": one},
        "application/cloudevents-batch+json": {"schema": batch, "examples": many},
        "application/x-ndjson": {
            "schema": {"type": "string", "description": "One event a line"},
            "examples": {"lines": {"value": "".join(json.dumps(one) + "\n" for one in (ANSWER, COMPLETED))}},
        },
    }


def _json(description: str, schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema, "example": example}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": _REF.format(name=name)}


def _schemas() -> dict[str, Any]:
    structs: list[type[Struct]] = [Attributes, Taken, BatchTaken, *(TYPES[name].struct for name in ACCEPTED_TYPES)]
    _, components = msgspec.json.schema_components(structs, ref_template=_REF)
    attributes = components.pop("Attributes")
    events = {name: _event(attributes, name) for name in ACCEPTED_TYPES}
    return {**components, **events, "Event": {"anyOf": [_ref(name) for name in ACCEPTED_TYPES]}}


def _event(attributes: dict[str, Any], name: str) -> dict[str, Any]:
    own = {"specversion": {"const": "1.0"}, "type": {"const": name}, "data": _ref(TYPES[name].struct.__name__)}
    return {
        "title": name,
        "type": "object",
        "properties": {**attributes["properties"], **own},
        "required": [*attributes["required"], "data"],
    }
