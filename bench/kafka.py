"""A real Kafka for one claim: a broker of its own, that keeps nothing and that nobody else uses."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.measure import NotRun
from deploy.kafka.broker import Broker
from deploy.kafka.jars import KafkaMissing
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_topics import create_topics
from shared.log.port import Topic

PARTITIONS = 12
# What the limit of the client sends would else fill the disk.
_KEPT = {"log.retention.bytes": str(64 * 1024 * 1024), "log.segment.bytes": str(64 * 1024 * 1024)}


class Kafka(NamedTuple):
    """`process` is the broker's, for its CPU time."""

    address: str
    process: psutil.Process

    @property
    def connection(self) -> KafkaConnection:
        return KafkaConnection(self.address)

    @property
    def environment(self) -> dict[str, str]:
        """What a process of ours needs to use it."""
        return {"KAFKA_BOOTSTRAP_SERVERS": self.address}

    def make(self, *names: str) -> None:
        asyncio.run(create_topics(self.connection, [Topic(name, PARTITIONS, None) for name in names]))


@contextmanager
def kafka(folder: Path) -> Iterator[Kafka]:
    """`NotRun` where no broker can be started."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a topic that was just made has no leader for a moment
    broker = Broker(folder / "kafka", settings=_KEPT)
    try:
        broker.start()
    except KafkaMissing as missing:
        raise NotRun(str(missing)) from missing
    try:
        assert broker.pid is not None
        yield Kafka(broker.address, psutil.Process(broker.pid))
    finally:
        broker.stop()
