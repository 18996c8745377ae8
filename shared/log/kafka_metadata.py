"""What a broker says of one topic, with the topic's id, which aiokafka does not ask for.

A topic that is deleted and made again has another id: nothing else tells it for sure from the one before.
"""

from io import BytesIO
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response  # type: ignore[import-untyped]
from aiokafka.protocol.metadata import MetadataRequest_v5  # type: ignore[import-untyped]
from aiokafka.protocol.types import (  # type: ignore[import-untyped]
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_API_KEY = 3
_NO_ID = bytes(16)
_TAGS = ("tags", TaggedFields)
_TEXT = CompactString("utf-8")


class _Uuid(AbstractType):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _Response(Response):  # type: ignore[misc]
    """Fields bear aiokafka's names, where it knows them."""

    API_KEY = _API_KEY
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), _TAGS)),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _WithIds(RequestStruct):  # type: ignore[misc]
    API_KEY = _API_KEY
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class TopicRequest(Request[MetadataRequest_v5 | _WithIds]):  # type: ignore[misc]
    """The answer's `to_object()["topics"]` has one entry, without `topic_id` from brokers before Kafka 3.1."""

    API_KEY = _API_KEY

    def __init__(self, name: str) -> None:
        self._name = name

    def build(self, version: type[Any]) -> Any:
        if version is _WithIds:
            return version([(_NO_ID, self._name, {})], False, False, {})
        return version([self._name], False)
