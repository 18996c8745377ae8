"""A real Kafka for tests: the one that KAFKA_BOOTSTRAP_SERVERS names, else one broker a run, started here.

Where neither can be had, tests that ask for it are skipped and say why. Every test makes topics of its own.
"""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import QUICK, Broker
from deploy.kafka.certificates import Certificates
from deploy.kafka.jars import KafkaMissing
from deploy.kafka.properties import Security
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_topics import create_topics
from shared.log.port import Topic
from shared.settings import Settings

USER, PASSWORD = "petla", "correct-horse"
# Compaction is seen within a second, and not only after a quarter of a minute.
_SETTINGS = {"log.cleaner.backoff.ms": "200"}


class Kafka:
    """`broker` is None where it belongs to somebody else."""

    def __init__(self, connection: KafkaConnection, broker: Broker | None, authority: Path | None) -> None:
        self.connection = connection
        self.broker = broker
        self._authority = authority

    async def make(self, *topics: Topic) -> list[Topic]:
        """The same topics under names that no other test uses."""
        prefix = f"test-{uuid.uuid4().hex[:12]}."
        named = [topic._replace(name=prefix + topic.name) for topic in topics]
        await create_topics(self.connection, named)
        return named

    def secured(self, mechanism: str, password: str = PASSWORD, *, trusted: bool = True) -> KafkaConnection:
        """The same broker through TLS and a login."""
        if self.broker is None or self._authority is None:
            pytest.skip("no openssl, or not our broker: it has no listener with TLS and a login")
        cafile = self._authority if trusted else None
        return KafkaConnection(self.broker.secure_address, "SASL_SSL", mechanism, USER, password, cafile)


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    if os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        connection = Settings().kafka
        assert connection is not None
        yield Kafka(connection, None, None)
        return
    folder = Path(tempfile.mkdtemp(prefix="petla-kafka-"))
    certificates = Certificates(folder / "certificates") if shutil.which("openssl") else None
    security = Security(certificates, USER, PASSWORD) if certificates else None
    options = f"-Xms256m -Xmx512m {QUICK}"
    broker = Broker(folder / "broker", security=security, settings=_SETTINGS, java_options=options)
    try:
        broker.start()
        yield Kafka(KafkaConnection(broker.address), broker, certificates and certificates.authority)
    except KafkaMissing as missing:
        pytest.skip(f"no Kafka here: {missing}")
    finally:
        broker.stop()
        shutil.rmtree(folder)


@pytest.fixture
async def broker(kafka: Kafka) -> AsyncIterator[Broker]:
    """For tests that do it harm; it is well again at the end."""
    if kafka.broker is None:
        pytest.skip("KAFKA_BOOTSTRAP_SERVERS names a broker that is not ours to kill")
    yield kafka.broker
    kafka.broker.thaw()
    if kafka.broker.pid is None:
        await asyncio.to_thread(kafka.broker.start)
