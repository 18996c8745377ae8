"""The AsyncAPI 3 document of all topics, made from the catalogue: `python -m shared.events.asyncapi` writes it to docs.

Its examples are those of tests/contracts; what a sender sends is shown as ingest writes it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from shared.events.catalogue import CONFIG_TOPIC, TYPES, EventType
from shared.events.envelope import Event, decode_event, encode
from shared.events.identity import FEEDBACK_TYPES, activity_fact, feedback_fact
from shared.events.schemas import formatted, ordered
from shared.events.topics import DEFAULT_PARTITIONS, DEFAULT_PREFIX, TOPICS, TopicKind

CONTRACTS = Path(__file__).parents[2] / "tests" / "contracts"
_FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"
_SCHEMA = "#/components/schemas/{name}"
_KAFKA = "0.5.0"
_HOUR_MS = 3_600_000
_SENDER = "shop"  # the source of the key that sends the examples
_ABOUT = (
    "Every topic of the log. A record is a CloudEvents 1.0 object in JSON. Nobody relies on order: the highest revision"
    " of a fact wins. A type's fields are only added to; what changes a meaning makes a new type (.v2)."
)
_CONFIG: dict[str, Any] = {
    "name": "config",
    "title": "A setting",
    "contentType": "application/json",
    "payload": {"type": ["object", "null"]},
}


def document(contracts: Path) -> dict[str, Any]:
    """`contracts` holds an example of every type, in `sent` or in `emitted`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Pętla: events",
            "version": "1.0.0",
            "description": _ABOUT,
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {kind.name: _channel(kind) for kind in TOPICS},
        "operations": {name: one for kind in TOPICS for name, one in _operations(kind)},
        "components": {
            "messages": {
                **{name: _message(kind, contracts) for name, kind in TYPES.items()},
                CONFIG_TOPIC: _CONFIG,
            },
            "schemas": _schemas(),
        },
    }


def _channel(kind: TopicKind) -> dict[str, Any]:
    names = [name for name, of in TYPES.items() if of.topic == kind.name] or [CONFIG_TOPIC]
    settings: dict[str, Any] = {"cleanup.policy": ["compact" if kind.compacted else "delete"]}
    if kind.retention_hours:
        settings["retention.ms"] = kind.retention_hours * _HOUR_MS
    return {
        "address": DEFAULT_PREFIX + kind.name,
        "title": kind.about,
        "description": f"Written by {_listed(kind.written_by)}, read by {_listed(kind.read_by)}. "
        f"The key is {kind.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "partitions": kind.partitions or DEFAULT_PARTITIONS,
                "topicConfiguration": settings,
                "bindingVersion": _KAFKA,
            }
        },
    }


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _operations(kind: TopicKind) -> list[tuple[str, dict[str, Any]]]:
    channel = {"$ref": f"#/channels/{kind.name}"}
    sends = [(f"{who}.sends.{kind.name}", {"action": "send", "channel": channel}) for who in kind.written_by]
    reads = [(f"{who}.receives.{kind.name}", {"action": "receive", "channel": channel}) for who in kind.read_by]
    return sends + reads


def _message(kind: EventType, contracts: Path) -> dict[str, Any]:
    (reference,), _ = msgspec.json.schema_components([kind.struct], ref_template=_SCHEMA)
    only = {"type": {"const": kind.name}, "data": reference}
    return {
        "name": kind.name,
        "title": kind.name,
        "payload": {"allOf": [{"$ref": _SCHEMA.format(name="Event")}, {"type": "object", "properties": only}]},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": _KAFKA}},
        "examples": [{"name": kind.name.replace(".", "-"), "payload": example(kind, contracts)}],
    }


def example(kind: EventType, contracts: Path) -> dict[str, Any]:
    """A record as it lies on the log."""
    emitted, sent = contracts / "emitted" / f"{kind.name}.json", contracts / "sent" / f"{kind.name}.json"
    if emitted.exists():
        shown: dict[str, Any] = msgspec.json.decode(emitted.read_bytes())
        return shown
    written: dict[str, Any] = msgspec.json.decode(_as_written(kind, msgspec.json.decode(sent.read_bytes())))
    return written


def _as_written(kind: EventType, sent: Mapping[str, Any]) -> bytes:
    data = kind.decoder.decode(msgspec.json.encode(sent["data"]))
    if check := getattr(data, "check", None):  # it fills in what depends on other fields, like the scale
        check()
    if kind.name in FEEDBACK_TYPES:
        data.feedback_id = data.feedback_id or sent["id"]
        fact = feedback_fact(_SENDER, sent["source"], data.feedback_id)
    else:
        fact = activity_fact(_SENDER, sent["source"], kind.name, sent["id"])
    added = {"sender": _SENDER, "factid": fact, "receivedat": sent["time"], "data": Raw(encode(data))}
    return encode(decode_event(msgspec.json.encode({**sent, **added})))


def _schemas() -> dict[str, Any]:
    structs = dict.fromkeys([Event, *(kind.struct for kind in TYPES.values())])
    _, found = msgspec.json.schema_components(structs, ref_template=_SCHEMA)
    return {name: ordered(schema) for name, schema in sorted(found.items())}


if __name__ == "__main__":
    _FILE.write_text(formatted(document(CONTRACTS)), encoding="utf-8")
