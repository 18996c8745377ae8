"""What a topic's settings break, and a look at those of a real broker."""

import pytest

from shared.log.kafka_settings import TopicOnKafka, flaws, look_at
from shared.log.port import Topic
from tests.kafka import Kafka

FACTS = Topic("petla.feedback", 12, 168)
CONFIG = Topic("petla.config", 1, None, compacted=True)
WEEK_MS = 604_800_000
GOOD = {
    "cleanup.policy": "delete",
    "max.message.bytes": "1048588",
    "message.timestamp.type": "LogAppendTime",
    "min.insync.replicas": "2",
    "retention.bytes": "-1",
    "retention.ms": str(WEEK_MS),
    "unclean.leader.election.enable": "false",
}


def on_kafka(partitions: int = 12, copies: int = 3, **changed: str) -> TopicOnKafka:
    return TopicOnKafka(partitions, copies, GOOD | {name.replace("_", "."): value for name, value in changed.items()})


def test_good_settings_have_no_flaw() -> None:
    compacted = on_kafka(partitions=1, cleanup_policy="compact", retention_ms="1")
    assert [*flaws(FACTS, on_kafka()), *flaws(CONFIG, compacted)] == []
    assert list(flaws(FACTS, on_kafka(partitions=24, retention_ms="-1"))) == []


@pytest.mark.parametrize(
    ("changed", "loses_data", "said"),
    [
        ({"cleanup_policy": "compact"}, True, "set delete, or events with the same key would be dropped"),
        ({"cleanup_policy": "compact,delete"}, True, "cleanup.policy=compact,delete"),
        ({"retention_ms": str(WEEK_MS - 1)}, True, f"set {WEEK_MS} or more"),
        ({"retention_bytes": "1000000"}, True, "retention.bytes=1000000: set -1"),
        ({"max_message_bytes": "327679"}, True, "set 327680 or more"),
        ({"message_timestamp_type": "CreateTime"}, False, "message.timestamp.type=CreateTime: set LogAppendTime, or"),
        ({"copies": 2}, False, "has 2 copies and should have 3"),
        ({"min_insync_replicas": "1"}, False, "min.insync.replicas): set 2"),
        ({"min_insync_replicas": "4"}, True, "has 3 copies and acknowledges with 4 (min.insync.replicas): set fewer"),
        ({"min_insync_replicas": "3"}, False, "with all of its 3 copies (min.insync.replicas): set 2, or one broker"),
        ({"unclean_leader_election_enable": "true"}, False, "unclean.leader.election.enable=false"),
    ],
)
def test_each_flaw_of_facts_is_said(changed: dict[str, str], loses_data: bool, said: str) -> None:
    (flaw,) = flaws(FACTS, on_kafka(**changed))  # type: ignore[arg-type]
    assert flaw.loses_data is loses_data
    assert said in flaw.sentence
    assert flaw.sentence.startswith("petla.feedback ")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cleanup_policy": "delete"}, "set compact, or keys and sources would expire"),
        ({"cleanup_policy": "compact,delete"}, "set compact"),
        ({"partitions": 3}, "has 3 partitions and must have one"),
    ],
)
def test_each_flaw_of_the_configuration_is_said(changed: dict[str, str], said: str) -> None:
    (flaw,) = flaws(CONFIG, on_kafka(**({"partitions": 1, "cleanup_policy": "compact"} | changed)))  # type: ignore[arg-type]
    assert flaw.loses_data
    assert said in flaw.sentence


async def test_what_we_make_on_one_broker_lacks_only_copies(kafka: Kafka) -> None:
    facts, config = await kafka.make(Topic("facts", 3, 168), CONFIG)
    cluster = await look_at(kafka.connection, [facts.name, config.name, "nothing.of.ours"])
    assert set(cluster.topics) == {facts.name, config.name}
    if cluster.brokers == 1:
        assert cluster.topics[facts.name].partitions == 3
        assert [flaw.loses_data for topic in (facts, config) for flaw in flaws(topic, cluster.topics[topic.name])] == [
            False
        ] * 4
