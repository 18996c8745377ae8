"""The log on Kafka, for production and for more than one machine.

A returned append has been acknowledged by every replica in sync: `replicated` where the topic demands two or more of
them, else `broker`: in one broker's memory, which survives its process and not its machine. Every wait is bounded.
"""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import TopicPartition  # type: ignore[import-untyped]

from shared.log import kafka_produce, kafka_reader, kafka_topics
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_lanes import Lanes
from shared.log.kafka_reader import KafkaReader, Portion
from shared.log.kafka_rows import Row
from shared.log.kafka_topics import Topics
from shared.log.partitioning import partition_of, partitions_of
from shared.log.port import Bounds, Column, Durability, LogUnavailable, NewRecord, Partition

_ANSWER_SECONDS = 3.0


class KafkaLog:
    """Connects at first use: to make one does not need a broker."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._topics = Topics(kafka_topics.admin(connection))
        self._lanes = Lanes(kafka_produce.producer(connection))
        # It is assigned nothing, so its questions never stand behind a fetch that waits for news.
        self._looker = kafka_reader.consumer(connection)

    @property
    def problem(self) -> str | None:
        return "Kafka does not take records: the log of the service says why" if self._lanes.problem else None

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        durability: Durability = "replicated" if records else "broker"
        placed: dict[Partition, list[Row]] = {}
        for name, keys, values in _by_topic(records):
            topic = self._topics.known(name) or await self._topics.describe(name)
            if topic.durability == "broker":
                durability = "broker"
            for number, rows in _by_partition(keys, values, len(topic.partitions)).items():
                placed[topic.partitions[number]] = rows
        if placed:
            await self._lanes.append(placed)
        return durability

    async def partitions(self, topic: str) -> int:
        """A growth is seen within seconds."""
        return len((await self._topics.describe(topic)).partitions)

    async def bounds(self, topic: str) -> dict[int, Bounds]:
        partitions = [TopicPartition(*partition) for partition in (await self._topics.describe(topic)).partitions]
        try:
            starts = await self._looker.ask(lambda client: client.beginning_offsets(partitions), _ANSWER_SECONDS)
            ends = await self._looker.ask(lambda client: client.end_offsets(partitions), _ANSWER_SECONDS)
        except LogUnavailable:
            self._topics.forget(topic)  # it may have been made anew with fewer partitions
            raise
        return {at.partition: Bounds(starts[at], ends[at]) for at in partitions}

    async def incarnation(self, topic: str) -> str:
        """The topic's id. A topic made anew is seen within seconds; what was read of it by then is read again."""
        return (await self._topics.describe(topic)).id

    def reader(self) -> KafkaReader:
        portion = Portion()
        consumers, finders = kafka_reader.consumer(self._connection, portion), kafka_reader.finder(self._connection)
        return KafkaReader(consumers, portion, finders, self.bounds, self.partitions)

    async def close(self) -> None:
        """Takes seconds at most, whatever Kafka does."""
        await asyncio.gather(self._lanes.close(), self._topics.close(), self._looker.close())


def _by_topic(records: Sequence[NewRecord]) -> Iterable[tuple[str, Sequence[bytes], Sequence[bytes | None]]]:
    """Each topic's keys and values."""
    if len(records) == 1:
        ((topic, key, value),) = records
        return [(topic, [key], [value])]
    if isinstance(records, Column):
        return [(records.topic, records.keys, records.values)]
    found: dict[str, tuple[list[bytes], list[bytes | None]]] = {}
    for topic, key, value in records:
        keys, values = found.setdefault(topic, ([], []))
        keys.append(key)
        values.append(value)
    return [(topic, keys, values) for topic, (keys, values) in found.items()]


def _by_partition(keys: Sequence[bytes], values: Sequence[bytes | None], partitions: int) -> dict[int, list[Row]]:
    if len(keys) == 1:
        return {partition_of(keys[0], partitions): [(keys[0], values[0])]}
    found: dict[int, list[Row]] = {}
    for number, row in zip(partitions_of(keys, partitions), zip(keys, values, strict=True), strict=True):
        if number in found:
            found[number].append(row)
        else:
            found[number] = [row]
    return found
