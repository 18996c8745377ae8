"""`installation` is one empty data folder a test; what runs on it ends with the test."""

from collections.abc import Iterator

import pytest

from tests.e2e.processes import Installation, temporary_installation
from tests.kafka import Kafka


@pytest.fixture
def installation() -> Iterator[Installation]:
    with temporary_installation() as made:
        yield made


@pytest.fixture
def on_kafka(kafka: Kafka) -> Iterator[Installation]:
    with temporary_installation(KAFKA_BOOTSTRAP_SERVERS=kafka.connection.servers) as made:
        made.environment["PETLA_TOPIC_PREFIX"] = f"{made.data.parent.name}."
        yield made


@pytest.fixture(params=["on_kafka", "installation"])
def either(request: pytest.FixtureRequest) -> Installation:
    """On Kafka, and on the embedded log."""
    found: Installation = request.getfixturevalue(request.param)
    return found
