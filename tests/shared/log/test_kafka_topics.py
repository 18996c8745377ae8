"""What is promised of an append follows from the topic: how many copies it has, and how many must have acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import UnknownTopicOrPartitionError  # type: ignore[import-untyped]

from shared.log.kafka_topics import FRESH_SECONDS, TopicMissing, Topics


class FakeAdmin:
    """A cluster with one topic: `copies` of its partitions, `in_sync` of them acknowledge; None: nobody may ask."""

    def __init__(self, copies: list[int], in_sync: int | None) -> None:
        self.error_code = 0
        self.partitions = [{"replicas": list(range(count))} for count in copies]
        self._entries = [] if in_sync is None else [("min.insync.replicas", str(in_sync), False, 1, False, [])]

    async def ask(self, question: Callable[[Any], Awaitable[Any]], seconds: float) -> Any:
        return await question(self)

    async def _send_request(self, request: object) -> object:
        topic = {"error_code": self.error_code, "partitions": self.partitions, "topic_id": b"\x01"}
        return SimpleNamespace(to_object=lambda: {"topics": [topic]})

    async def describe_configs(self, resources: object) -> list[object]:
        return [SimpleNamespace(resources=[(0, None, 2, "facts", self._entries)])]


@pytest.mark.parametrize(
    ("copies", "in_sync", "durability"),
    [
        ([3, 3], 2, "replicated"),
        ([2], 2, "replicated"),
        ([3, 3], 1, "broker"),  # the other copies may be behind when it is acknowledged
        ([3, 1], 2, "broker"),
        ([1], 1, "broker"),
        ([3], None, "broker"),
    ],
)
async def test_replicated_is_said_only_where_two_copies_must_have_it(
    copies: list[int], in_sync: int | None, durability: str
) -> None:
    topics = Topics(FakeAdmin(copies, in_sync))  # type: ignore[arg-type]
    found = await topics.describe("facts")
    assert found.durability == durability
    assert [partition.number for partition in found.partitions] == list(range(len(copies)))


async def test_who_only_appends_hears_of_partitions_that_were_added() -> None:
    """It does not wait for the answer: what it knows will do until then."""
    now = 0.0
    asked = FakeAdmin([1], 1)
    topics = Topics(asked, lambda: now)  # type: ignore[arg-type]
    await topics.describe("facts")
    asked.partitions *= 3
    known = topics.known("facts")
    assert known is not None
    assert len(known.partitions) == 1
    now = FRESH_SECONDS + 1
    assert topics.known("facts") == known
    await asyncio.gather(*topics._asking.values())
    newer = topics.known("facts")
    assert newer is not None
    assert len(newer.partitions) == 3


async def test_a_topic_that_is_gone_is_forgotten() -> None:
    now = 0.0
    asked = FakeAdmin([1], 1)
    topics = Topics(asked, lambda: now)  # type: ignore[arg-type]
    await topics.describe("facts")
    asked.error_code = UnknownTopicOrPartitionError.errno
    now = FRESH_SECONDS + 1
    with pytest.raises(TopicMissing):
        await topics.describe("facts")
    assert topics.known("facts") is None
