"""The settings of our topics on a Kafka, and whether they keep what Pętla promises."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType  # type: ignore[import-untyped]

from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_topics import admin
from shared.log.port import LogUnavailable, Topic

_ANSWER_SECONDS = 10.0
_HOUR_MS = 3_600_000
_COPIES = 3
_IN_SYNC = 2
# The largest event, 256 KiB, with what the log adds to it and a fifth to spare.
_LARGEST_RECORD = 320 * 1024
_READ = (
    "cleanup.policy",
    "max.message.bytes",
    "message.timestamp.type",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
    "unclean.leader.election.enable",
)


class TopicOnKafka(NamedTuple):
    """`copies` is that of the partition with the fewest; `settings` by Kafka's own names, as text."""

    partitions: int
    copies: int
    settings: Mapping[str, str]


class Cluster(NamedTuple):
    """`topics` holds those that were asked for and exist; `behind` of their partitions lack a copy in sync."""

    brokers: int
    topics: Mapping[str, TopicOnKafka]
    behind: int = 0


class Flaw(NamedTuple):
    """`loses_data` is for any installation; the others are for one that promises to outlive a broker."""

    loses_data: bool
    sentence: str


async def look_at(connection: KafkaConnection, names: Sequence[str]) -> Cluster:
    """`LogUnavailable` with the reason."""
    asked = admin(connection)
    try:
        return await asked.ask(lambda client: _look(client, names), _ANSWER_SECONDS)
    finally:
        await asked.close()


async def _look(client: AIOKafkaAdminClient, names: Sequence[str]) -> Cluster:
    brokers = len((await client.describe_cluster())["brokers"])
    there = set(await client.list_topics())
    wanted = [name for name in names if name in there]
    if not wanted:
        return Cluster(brokers, {})
    described = {topic["topic"]: topic["partitions"] for topic in await client.describe_topics(wanted)}
    settings = await _settings(client, wanted)
    copies = {name: min(len(partition["replicas"]) for partition in described[name]) for name in wanted}
    topics = {name: TopicOnKafka(len(described[name]), copies[name], settings[name]) for name in wanted}
    return Cluster(brokers, topics, lacking(described.values()))


def lacking(described: Iterable[Sequence[Mapping[str, Any]]]) -> int:
    """Partitions with fewer copies in sync than they should have, of topics as Kafka describes them."""
    partitions = [partition for topic in described for partition in topic]
    return sum(len(partition["isr"]) < len(partition["replicas"]) for partition in partitions)


async def _settings(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(_READ, "")) for name in names]
    found: dict[str, dict[str, str]] = {}
    for answer in await client.describe_configs(wanted):
        for resource in answer.resources:
            code, reason, _, name, entries = resource
            if code:
                raise LogUnavailable(f"the settings of {name} cannot be read ({reason}): grant DescribeConfigs")
            found[name] = {entry[0]: str(entry[1]) for entry in entries}
    return found


def flaws(topic: Topic, found: TopicOnKafka) -> Iterator[Flaw]:
    """What of the topic's settings breaks a promise, each in one sentence that says what to set."""
    yield from _kept_long_enough(topic, found.settings)
    yield from _taken_and_shared(topic, found)
    yield from _outlives_a_broker(topic, found)


def _kept_long_enough(topic: Topic, settings: Mapping[str, str]) -> Iterator[Flaw]:
    policy = {part.strip() for part in settings["cleanup.policy"].split(",")}
    wanted = "compact" if topic.compacted else "delete"
    if policy != {wanted}:
        lost = "keys and sources would expire" if topic.compacted else "events with the same key would be dropped"
        yield Flaw(True, f"{topic.name} has cleanup.policy={settings['cleanup.policy']}: set {wanted}, or {lost}")
    if topic.retention_hours is None:
        return
    kept, least = int(settings["retention.ms"]), topic.retention_hours * _HOUR_MS
    if kept != -1 and kept < least:
        yield Flaw(
            True,
            f"{topic.name} is kept {kept / _HOUR_MS:g} hours (retention.ms={kept}): set {least} or more, or a reader"
            " that is away for longer loses events",
        )
    if settings["retention.bytes"] != "-1":
        yield Flaw(
            True,
            f"{topic.name} has retention.bytes={settings['retention.bytes']}: set -1, or a busy day drops what was not"
            " read yet",
        )


def _taken_and_shared(topic: Topic, found: TopicOnKafka) -> Iterator[Flaw]:
    if found.settings["message.timestamp.type"] != "LogAppendTime":
        yield Flaw(
            False,
            f"{topic.name} has message.timestamp.type={found.settings['message.timestamp.type']}: set LogAppendTime, or"
            " where the clock of an ingest is wrong, its events are refused or expire unread",
        )
    largest = int(found.settings["max.message.bytes"])
    if largest < _LARGEST_RECORD:
        yield Flaw(
            True,
            f"{topic.name} takes at most {largest} bytes (max.message.bytes): set {_LARGEST_RECORD} or more, or large"
            " events are set aside",
        )
    if topic.compacted and found.partitions != topic.partitions:
        yield Flaw(True, f"{topic.name} has {found.partitions} partitions and must have one: make it anew")


def _outlives_a_broker(topic: Topic, found: TopicOnKafka) -> Iterator[Flaw]:
    if found.copies < _COPIES:
        yield Flaw(
            False,
            f"{topic.name} has {found.copies} copies and should have {_COPIES}: add replicas, or the loss of a broker"
            " loses or stops it",
        )
    in_sync = int(found.settings["min.insync.replicas"])
    if in_sync < _IN_SYNC:
        yield Flaw(
            False,
            f"{topic.name} acknowledges with {in_sync} copy (min.insync.replicas): set {_IN_SYNC}, or what was"
            " acknowledged may be on one broker only",
        )
    elif in_sync > found.copies:
        yield Flaw(
            True,
            f"{topic.name} has {found.copies} copies and acknowledges with {in_sync} (min.insync.replicas): set fewer"
            " or add replicas, or it takes nothing at all",
        )
    elif in_sync == found.copies >= _COPIES:
        yield Flaw(
            False,
            f"{topic.name} acknowledges with all of its {in_sync} copies (min.insync.replicas): set {in_sync - 1}, or"
            " one broker that is down stops it",
        )
    if found.settings["unclean.leader.election.enable"] != "false":
        yield Flaw(
            False,
            f"{topic.name} may be led by a broker that lacks what was acknowledged: set"
            " unclean.leader.election.enable=false",
        )
