"""What goes to a broker and what comes back: the same bytes as aiokafka's own requests, read the same way."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    KafkaConnectionError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7
from aiokafka.structs import PartitionMetadata

from shared.log import kafka_produce
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_produce import Producer
from shared.log.port import Partition
from tests.turns import until

FIRST, SECOND, OTHER = Partition("facts", 0), Partition("facts", 7), Partition("Pętla", 3)
BATCHES = {FIRST: b"one", OTHER: b"two", SECOND: b"three"}
THEIRS = [("facts", [(0, b"one"), (7, b"three")]), ("Pętla", [(3, b"two")])]


class Writer:
    """Stands for a connection's: keeps what goes to the broker."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def writelines(self, parts: Iterable[bytes]) -> None:
        self.sent += b"".join(parts)

    def close(self) -> None:
        self.closed = True


class Client:
    """aiokafka's, with one connection of aiokafka's, to broker 1."""

    def __init__(self) -> None:
        self.connection = AIOKafkaConnection("127.0.0.1", 9, client_id="a-client")
        self.connection._versions = {0: (3, 9)}
        self.connection._writer = self.writer = Writer()
        self.connection._reader = asyncio.StreamReader()
        self.connection._read_task = asyncio.create_task(asyncio.sleep(0))
        self._conns = {(1, 0): self.connection}
        self.closed = False

    async def ready(self, broker: int) -> bool:
        return (broker, 0) in self._conns

    def answer(self, codes: list[tuple[int, int, int, int, int]]) -> None:
        answer = ProduceResponse_v7([("facts", codes)], 0).encode()
        self.connection._handle_frame(self.connection._correlation_id.to_bytes(4, "big") + answer)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = Client()
    yield made
    made.connection.close()


@pytest.fixture
async def producer(client: Client) -> Producer:
    made = Producer(KafkaConnection("127.0.0.1:9"))
    made._client = client
    return made


async def test_a_request_waits_for_all_replicas_and_is_no_transaction(producer: Producer, client: Client) -> None:
    sending = asyncio.create_task(producer.send(1, BATCHES))
    await until(lambda: client.writer.sent)
    theirs = ProduceRequest_v7(None, -1, 1_500, THEIRS)
    request = theirs.build_request_header(1, "a-client").encode() + theirs.encode()
    assert client.writer.sent == len(request).to_bytes(4, "big") + request
    sending.cancel()


async def test_each_partition_gets_its_own_answer(producer: Producer, client: Client) -> None:
    sending = asyncio.create_task(producer.send(1, {SECOND: b"", FIRST: b"", OTHER: b""}))
    await until(lambda: client.writer.sent)
    client.answer([(7, 0, 5, -1, 0), (0, 6, -1, -1, -1)])
    kept, moved, unheard = await sending
    assert (kept, type(moved).__name__) == (None, "NotLeaderForPartitionError")
    assert "no word of it" in str(unheard)


async def test_a_broker_that_cannot_be_reached_may_be_tried_again(
    producer: Producer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NodeNotReadyError):
        await producer.send(2, BATCHES)
    monkeypatch.setattr(client.connection, "_writer", None)
    with pytest.raises(KafkaConnectionError):
        await producer.send(1, BATCHES)


async def test_a_connection_that_stays_silent_is_closed(
    producer: Producer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_produce, "REQUEST_MS", 1)
    with pytest.raises(RequestTimedOutError):
        await producer.send(1, BATCHES)
    assert client.writer.closed


async def test_it_ends_when_what_is_on_its_way_is_answered(producer: Producer, client: Client) -> None:
    sending = asyncio.create_task(producer.send(1, {FIRST: b""}))
    await until(lambda: client.writer.sent)
    ending = asyncio.create_task(producer.stop())
    await asyncio.sleep(0)
    assert not client.closed
    client.answer([(0, 0, 5, -1, 0)])
    await asyncio.gather(sending, ending)
    assert client.closed


async def test_one_that_was_never_started_can_be_stopped() -> None:
    await Producer(KafkaConnection("127.0.0.1:9")).stop()


async def test_why_nobody_leads_a_partition_is_told_apart() -> None:
    producer = Producer(KafkaConnection("127.0.0.1:9"))
    partitions = {
        number: PartitionMetadata("facts", number, leader, [], [], None) for number, leader in ((0, 4), (7, -1))
    }
    producer._client.cluster._partitions["facts"] = partitions
    assert producer._leader(FIRST) == 4
    assert isinstance(producer._leader(SECOND), LeaderNotAvailableError)
    assert isinstance(producer._leader(OTHER), UnknownTopicOrPartitionError)
