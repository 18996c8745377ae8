"""docs/asyncapi.json: current, shaped as AsyncAPI 3.0.0 has it, its examples what really lies on the log."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.consumer.messages import Message, read_record
from shared.events.asyncapi import CONTRACTS, document
from shared.events.catalogue import ACCEPTED_TYPES, TYPES
from shared.events.schemas import formatted
from shared.events.topics import TOPICS
from shared.log.port import Partition, Record, Topic
from shared.settings import Settings
from tests.contracts.references import references
from tests.ingest.running import RunningIngest

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"
# What the specification allows in each object, as far as we use it; `x-…` is ours everywhere.
ROOT = {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}
INFO = {"title", "version", "description", "termsOfService", "contact", "license", "tags", "externalDocs"}
CHANNEL = {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "bindings"}
OPERATION = {
    "action",
    "channel",
    "title",
    "summary",
    "description",
    "security",
    "tags",
    "bindings",
    "messages",
    "reply",
}
MESSAGE = {
    "headers",
    "payload",
    "contentType",
    "name",
    "title",
    "summary",
    "description",
    "tags",
    "bindings",
    "examples",
}
EXAMPLE = {"headers", "payload", "name", "summary"}
KAFKA_CHANNEL = {"topic", "partitions", "replicas", "topicConfiguration", "bindingVersion"}
KAFKA_TOPIC = {"cleanup.policy", "retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes"}
KAFKA_MESSAGE = {"key", "schemaIdLocation", "schemaIdPayloadEncoding", "schemaLookupStrategy", "bindingVersion"}
COMPONENT = re.compile(r"[\w.-]+")
DRAFT_7 = {  # what payloads may say, without the keywords that came later
    "$ref", "title", "description", "type", "properties", "required", "additionalProperties", "allOf", "anyOf", "items",
    "enum", "const", "default", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "minItems", "maxItems", "propertyNames", "contentEncoding",
}  # fmt: skip


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def test_the_document_is_current() -> None:
    assert FILE.read_text("utf-8") == formatted(document(CONTRACTS)), "run: python -m shared.events.asyncapi"


def resolved(reference: str, told: dict[str, Any]) -> Any:
    assert reference.startswith("#/"), reference
    found: Any = told
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_reference_leads_somewhere_and_no_schema_is_forgotten(told: dict[str, Any]) -> None:
    named = set(references(told))
    assert all(resolved(reference, told) for reference in named)
    parts = told["components"]
    assert {f"#/components/schemas/{name}" for name in parts["schemas"]} <= named
    assert {f"#/components/messages/{name}" for name in parts["messages"]} <= named
    assert {f"#/channels/{name}" for name in told["channels"]} <= named


def test_its_parts_are_what_the_specification_allows(told: dict[str, Any]) -> None:
    assert told["asyncapi"] == "3.0.0"
    assert told.keys() <= ROOT
    assert {"title", "version"} <= told["info"].keys() <= INFO
    assert told["components"].keys() <= {"messages", "schemas"}
    names = [name for part in told["components"].values() for name in part]
    assert not [name for name in [*names, *told["channels"], *told["operations"]] if not COMPONENT.fullmatch(name)]


def test_channels_are_the_topics_as_they_are_made(told: dict[str, Any]) -> None:
    made = {topic.name: topic for topic in Settings().topics()}
    assert {channel["address"] for channel in told["channels"].values()} == made.keys()
    for channel in told["channels"].values():
        assert channel.keys() <= CHANNEL
        assert channel["bindings"].keys() == {"kafka"}
        kafka = channel["bindings"]["kafka"]
        assert kafka.keys() <= KAFKA_CHANNEL
        assert kafka["topicConfiguration"].keys() <= KAFKA_TOPIC
        assert as_topic(channel) == made[channel["address"]]


def as_topic(channel: dict[str, Any]) -> Topic:
    kafka = channel["bindings"]["kafka"]
    milliseconds = kafka["topicConfiguration"].get("retention.ms")
    [policy] = kafka["topicConfiguration"]["cleanup.policy"]
    hours = milliseconds and milliseconds // 3_600_000
    return Topic(channel["address"], kafka["partitions"], hours, compacted=policy == "compact")


def test_every_type_is_a_message_of_its_topic_and_of_no_other(told: dict[str, Any]) -> None:
    listed = {name: set(channel["messages"]) for name, channel in told["channels"].items()}
    assert listed.pop("config") == {"config"}
    assert listed == {topic: {name for name, kind in TYPES.items() if kind.topic == topic} for topic in listed}
    for name, channel in told["channels"].items():
        for message in channel["messages"]:
            assert channel["messages"][message] == {"$ref": f"#/components/messages/{message}"}, name


def test_operations_say_who_writes_and_who_reads(told: dict[str, Any]) -> None:
    found = set()
    for name, operation in told["operations"].items():
        assert {"action", "channel"} <= operation.keys() <= OPERATION
        who, does, topic = name.split(".")
        assert operation["channel"] == {"$ref": f"#/channels/{topic}"}
        assert f"{operation['action']}s" == does
        found.add((who, operation["action"], topic))
    writers = {who for who, action, topic in found if (action, topic) == ("send", "config")}
    assert writers == {"commands", "ingest", "scoring", "alerts"}
    services = {entry for entry in found if entry[2] != "config"}
    assert services == {
        ("ingest", "send", "feedback"),
        ("scoring", "receive", "feedback"),
        ("ingest", "send", "activity"),
        ("scoring", "receive", "activity"),
        ("alerts", "receive", "activity"),
        ("scoring", "send", "scores"),
        ("alerts", "receive", "scores"),
        ("alerts", "send", "followups"),
        ("scoring", "receive", "followups"),
        ("ingest", "send", "raw"),
        ("scoring", "receive", "raw"),
        ("ingest", "receive", "raw"),
    }


def test_messages_have_a_schema_a_key_and_an_example(told: dict[str, Any]) -> None:
    for name, message in told["components"]["messages"].items():
        assert {"name", "payload"} <= message.keys() <= MESSAGE
        if name == "config":
            continue
        assert message["bindings"]["kafka"].keys() <= KAFKA_MESSAGE
        envelope, only = message["payload"]["allOf"]
        assert envelope == {"$ref": "#/components/schemas/Event"}
        assert only["properties"]["type"] == {"const": name}
        assert [example.keys() <= EXAMPLE for example in message["examples"]] == [True]


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """A schema and all inside of it."""
    if not isinstance(value, dict):
        return
    yield value
    for key, inner in value.items():
        if key == "properties":
            for field in inner.values():
                yield from schemas(field)
        elif key in ("items", "additionalProperties", "propertyNames"):
            yield from schemas(inner)
        elif key in ("allOf", "anyOf"):
            for one in inner:
                yield from schemas(one)


def test_schemas_keep_to_the_draft_that_the_specification_names(told: dict[str, Any]) -> None:
    wholes = [*told["components"]["schemas"].values()]
    wholes += [message["payload"] for message in told["components"]["messages"].values()]
    assert not {key for whole in wholes for schema in schemas(whole) for key in schema} - DRAFT_7


def example(told: dict[str, Any], name: str) -> dict[str, Any]:
    shown: dict[str, Any] = told["components"]["messages"][name]["examples"][0]["payload"]
    return shown


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_consumer_reads_the_example(told: dict[str, Any], name: str) -> None:
    topic = f"petla.{TYPES[name].topic}"
    read = read_record(Record(Partition(topic, 0), 0, b"key", json.dumps(example(told, name)).encode()))
    assert isinstance(read, Message), read
    assert read.event.type == name


@pytest.mark.parametrize("name", sorted(ACCEPTED_TYPES))
async def test_the_example_is_what_ingest_writes(told: dict[str, Any], name: str) -> None:
    ingest = RunningIngest()
    await ingest.start()
    ingest.clock.advance(30 * 24 * 3600)  # the examples are of November 2026, and none may lie in the future
    await ingest.send((CONTRACTS / "sent" / f"{name}.json").read_bytes(), "application/cloudevents+json")
    [record] = ingest.log.records(f"petla.{TYPES[name].topic}")
    await ingest.stop()
    written = json.loads(record.value or b"")
    shown = example(told, name)
    assert written | {"receivedat": shown["receivedat"]} == shown


def test_topics_are_listed_once() -> None:
    assert len({kind.name for kind in TOPICS}) == len(TOPICS)
