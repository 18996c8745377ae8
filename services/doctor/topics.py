"""Whether the topics on Kafka are there and keep what Pętla promises: `deploy/prepare.py` and `petla doctor` agree."""

from collections.abc import Sequence

from shared.findings import Finding
from shared.log.kafka_settings import Cluster, flaws
from shared.log.port import Topic


def judged_brokers(cluster: Cluster) -> Finding:
    answers = f"Kafka answers, {cluster.brokers} brokers"
    if cluster.behind:
        advice = "copies in sync than they should: start the brokers that are down"
        return Finding("warn", "broker", f"{answers}; {cluster.behind} partitions have fewer {advice}")
    return Finding("ok", "broker", answers)


def judged(cluster: Cluster, topics: Sequence[Topic], *, production: bool) -> list[Finding]:
    """A finding for each flaw of each topic, one `ok` for all where there is none."""
    found = [finding for topic in topics for finding in _of(topic, cluster, production=production)]
    return found or [Finding("ok", "topics", f"{len(topics)} topics with settings that keep the promises")]


def _of(topic: Topic, cluster: Cluster, *, production: bool) -> list[Finding]:
    there = cluster.topics.get(topic.name)
    if there is None:
        return [Finding("fail", "topics", f"{topic.name} does not exist: run 'python deploy/prepare.py'")]
    return [
        Finding("fail" if flaw.loses_data or production else "warn", "topics", flaw.sentence)
        for flaw in flaws(topic, there)
    ]
