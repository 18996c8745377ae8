"""What is known of Kafka's topics, asked again every few seconds; and how ours are made.

A topic that was seen once stays known while the brokers are away. One that they say does not exist is forgotten.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from shared.log.kafka_clients import Disposable
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_faults import sentence
from shared.log.kafka_metadata import TopicRequest
from shared.log.port import SEGMENT_HOURS, Durability, LogUnavailable, Partition, Topic

FRESH_SECONDS = 5.0
_ANSWER_SECONDS = 2.0
_CREATE_SECONDS = 15.0
_MOST_REPLICAS = 3
# Kafka's own default, written down because it must stay above the largest event by a fifth.
_LARGEST_BATCH = 1_048_588
_HOUR_MS = 3_600_000
_POLL_SECONDS = 0.05


class TopicMissing(LogUnavailable):
    """The brokers answer, and have no such topic."""


class Described(NamedTuple):
    """`id` is another one after the topic was made anew; empty where the broker knows none.

    `at` is when it was so, on the monotonic clock.
    """

    partitions: tuple[Partition, ...]
    durability: Durability
    id: str
    at: float


Admin = Disposable[Any]  # of AIOKafkaAdminClient, which has no types


def admin(connection: KafkaConnection) -> Admin:
    return Disposable(
        connection, lambda: AIOKafkaAdminClient(bootstrap_servers=connection.servers, **connection.options), _close
    )


async def _close(client: AIOKafkaAdminClient) -> None:
    await client.close()


class Topics:
    def __init__(self, asked: Admin, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._admin = asked
        self._monotonic = monotonic
        self._described: dict[str, Described] = {}
        self._asking: dict[str, asyncio.Task[Described | LogUnavailable]] = {}

    def known(self, name: str) -> Described | None:
        """At once; what is old is asked for in the background."""
        described = self._described.get(name)
        if described is not None and self._monotonic() - described.at > FRESH_SECONDS:
            self._ask(name)
        return described

    async def describe(self, name: str) -> Described:
        """Not older than some seconds while the brokers answer. `LogUnavailable` for a topic never seen."""
        described = self._described.get(name)
        if described is not None and self._monotonic() - described.at <= FRESH_SECONDS:
            return described
        answer = await asyncio.shield(self._ask(name))
        if isinstance(answer, Described):
            return answer
        if described is None or isinstance(answer, TopicMissing):
            raise type(answer)(str(answer))
        return described

    def forget(self, name: str) -> None:
        self._described.pop(name, None)

    async def close(self) -> None:
        for asking in list(self._asking.values()):
            asking.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._admin.close()

    def _ask(self, name: str) -> "asyncio.Task[Described | LogUnavailable]":
        """One question a topic at a time, however many wait for the answer."""
        if name not in self._asking:
            self._asking[name] = asyncio.create_task(self._answer(name))
        return self._asking[name]

    async def _answer(self, name: str) -> Described | LogUnavailable:
        try:
            described = await self._admin.ask(lambda client: self._read(client, name), _ANSWER_SECONDS)
        except LogUnavailable as error:
            if isinstance(error, TopicMissing):
                self.forget(name)
            return error
        finally:
            del self._asking[name]
        self._described[name] = described
        return described

    async def _read(self, client: AIOKafkaAdminClient, name: str) -> Described:
        answer = await client._send_request(TopicRequest(name))
        (topic,) = answer.to_object()["topics"]
        if error := _error(topic["error_code"]):
            reason = f"{name}: {sentence(error, _ANSWER_SECONDS)}"
            raise TopicMissing(reason) if isinstance(error, UnknownTopicOrPartitionError) else LogUnavailable(reason)
        partitions = topic["partitions"]
        in_sync = await _least_in_sync(client, name)
        copies = min(len(partition["replicas"]) for partition in partitions)
        durability: Durability = "replicated" if min(copies, in_sync) >= 2 else "broker"
        named = tuple(Partition(name, number) for number in range(len(partitions)))
        return Described(named, durability, topic.get("topic_id", b"").hex(), self._monotonic())


async def _least_in_sync(client: AIOKafkaAdminClient, name: str) -> int:
    """`min.insync.replicas`; 1, which promises least, for who may not ask."""
    wanted = {"min.insync.replicas": ""}
    (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name, wanted)])
    return max((int(entry[1]) for resource in answer.resources for entry in resource[4]), default=1)


def _error(code: int) -> Exception | None:
    kind = for_code(code)
    return None if kind is NoError else kind()


async def create_topics(connection: KafkaConnection, topics: Sequence[Topic]) -> list[str]:
    """The names of those that were not there; returns when each of them can be written. `LogUnavailable`."""
    asked = admin(connection)
    try:
        return await asked.ask(lambda client: _create(client, topics), _CREATE_SECONDS)
    finally:
        await asked.close()


async def _create(client: AIOKafkaAdminClient, topics: Sequence[Topic]) -> list[str]:
    cluster = await client.describe_cluster()
    replicas = min(_MOST_REPLICAS, len(cluster["brokers"]))
    there = set(await client.list_topics())
    missing = [topic for topic in topics if topic.name not in there]
    if not missing:
        return []
    answer = await client.create_topics([_new(topic, replicas) for topic in missing])
    made = []
    for name, code, reason in answer.topic_errors:
        error = _error(code)
        if error is None:
            made.append(name)
        elif not isinstance(error, TopicAlreadyExistsError):  # another process was faster
            raise LogUnavailable(f"{name} could not be made: {reason or error}")
    await _wait_for_leaders(client, [topic.name for topic in missing])
    return made


def _new(topic: Topic, replicas: int) -> NewTopic:
    settings = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": "-1" if topic.retention_hours is None else str(topic.retention_hours * _HOUR_MS),
        # One broker may be away, and what was acknowledged is still on another where there are three.
        "min.insync.replicas": str(max(1, replicas - 1)),
        "max.message.bytes": str(_LARGEST_BATCH),
        # Else Kafka refuses who is an hour ahead, and forgets at once what somebody a week behind appends.
        "message.timestamp.type": "LogAppendTime",
        "segment.ms": str(SEGMENT_HOURS * _HOUR_MS),
    }
    return NewTopic(topic.name, topic.partitions, replicas, topic_configs=settings)


async def _wait_for_leaders(client: AIOKafkaAdminClient, names: list[str]) -> None:
    """A topic is made before its partitions have leaders. The caller bounds the wait."""
    while True:
        described = await client.describe_topics(names)
        if all(_has_leaders(topic) for topic in described):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _has_leaders(topic: dict[str, Any]) -> bool:
    partitions = topic["partitions"]
    return not topic["error_code"] and bool(partitions) and all(each["leader"] >= 0 for each in partitions)
