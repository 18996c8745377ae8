"""Two processes of each service share the work on either log, and one that is ended hands its part over at once."""

import time

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions  # type: ignore[import-untyped]

from tests.e2e.client import Client, usable_key
from tests.e2e.load import answer
from tests.e2e.processes import Installation, Server, until
from tests.kafka import Kafka

HANDED_OVER_SECONDS = 3.5  # less than a lease: nobody waited for one
SERVICES = ("ingest", "scoring", "alerts")


def two_of_each(installation: Installation) -> dict[str, list[Server]]:
    servers = {name: [installation.start(name) for _ in range(2)] for name in SERVICES}
    for pair in servers.values():
        for server in pair:
            server.wait_ready()
    return servers


def send(server: Server, key: str, prefix: str) -> None:
    with Client(server.url, key) as client:
        client.send([answer(f"{prefix}-{number}") for number in range(20)])


def test_who_is_ended_hands_its_part_over_at_once(either: Installation) -> None:
    servers = two_of_each(either)
    key = usable_key(either, *(server.url for server in servers["ingest"]))
    for pair in servers.values():
        leaving = pair.pop()
        send(servers["ingest"][0], key, f"{leaving.service}-before")
        assert leaving.terminate() == 0
        began = time.monotonic()
        send(servers["ingest"][0], key, f"{leaving.service}-after")
        with Client(servers["scoring"][0].url, key) as scoring:
            assert scoring.settled(30)["balanced"]
        assert time.monotonic() - began < HANDED_OVER_SECONDS
    with Client(servers["alerts"][0].url, key) as alerts:
        assert alerts.followups() == 120


def test_who_is_killed_leaves_its_part_to_the_other(either: Installation) -> None:
    servers = two_of_each(either)
    key = usable_key(either, *(server.url for server in servers["ingest"]))
    send(servers["ingest"][0], key, "before")
    for pair in servers.values():
        pair.pop().kill()
    send(servers["ingest"][0], key, "after")
    with Client(servers["scoring"][0].url, key) as scoring:
        assert scoring.settled(30)["balanced"]
    with Client(servers["alerts"][0].url, key) as alerts:
        assert alerts.followups() == 40


async def grown(kafka: Kafka, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.connection.servers)
    await admin.start()
    await admin.create_partitions({topic: NewPartitions(partitions)})
    await admin.close()


async def test_partitions_that_are_added_are_used_and_read(on_kafka: Installation, kafka: Kafka) -> None:
    servers = {name: on_kafka.start(name) for name in SERVICES}
    for server in servers.values():
        server.wait_ready()
    key = usable_key(on_kafka, servers["ingest"].url)
    send(servers["ingest"], key, "before")
    topic = f"{on_kafka.environment['PETLA_TOPIC_PREFIX']}feedback"
    await grown(kafka, topic, 24)
    with Client(servers["scoring"].url, key) as scoring:

        def read_a_new_one() -> bool:
            send(servers["ingest"], key, f"after-{time.monotonic()}")
            offsets = scoring.get("/v1/reconciliation")["as_of"]["offsets"].get(topic, {})
            return any(offset for number, offset in offsets.items() if int(number) >= 12)

        until(read_a_new_one, 15, "a record read from a new partition")
        # What was sent before may come again on another partition: it is the same fact.
        send(servers["ingest"], key, "before")
        found = scoring.settled(30)
    assert found["balanced"]
    assert found["topics"][topic]["duplicates"] == 20
