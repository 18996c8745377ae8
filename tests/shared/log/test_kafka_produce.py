"""What goes to a broker and what comes back: the same bytes as aiokafka's own requests, read the same way."""

import asyncio

import pytest
from aiokafka.errors import LeaderNotAvailableError, UnknownTopicOrPartitionError
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7
from aiokafka.structs import PartitionMetadata

from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_produce import Producer, _Produce, _ProduceRequest
from shared.log.port import Partition

FIRST, SECOND, OTHER = Partition("facts", 0), Partition("facts", 7), Partition("Pętla", 3)
BATCHES = {FIRST: b"one", OTHER: b"two", SECOND: b"three"}
THEIRS = [("facts", [(0, b"one"), (7, b"three")]), ("Pętla", [(3, b"two")])]


class Answering:
    """Stands for aiokafka's client: answers what it is told to."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.gate = asyncio.Event()
        self.closed = False

    async def send(self, broker: int, request: _ProduceRequest) -> object:
        await self.gate.wait()
        return request.build(_Produce).RESPONSE_TYPE.decode(self.answer)

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
async def producer() -> Producer:
    made = Producer(KafkaConnection("127.0.0.1:9"))
    answer = ProduceResponse_v7([("facts", [(7, 0, 5, -1, 0), (0, 6, -1, -1, -1)])], 0).encode()
    made._client = Answering(answer)
    return made


def test_a_request_waits_for_all_replicas_and_is_no_transaction() -> None:
    ours = _ProduceRequest(BATCHES).build(_Produce).encode()
    assert ours == ProduceRequest_v7(None, -1, 1_500, THEIRS).encode()


async def test_each_partition_gets_its_own_answer(producer: Producer) -> None:
    producer._client.gate.set()
    kept, moved, unheard = await producer.send(1, {SECOND: b"", FIRST: b"", OTHER: b""})
    assert (kept, type(moved).__name__) == (None, "NotLeaderForPartitionError")
    assert "no word of it" in str(unheard)


async def test_it_ends_when_what_is_on_its_way_is_answered(producer: Producer) -> None:
    sending = asyncio.create_task(producer.send(1, {FIRST: b""}))
    await asyncio.sleep(0)
    ending = asyncio.create_task(producer.stop())
    await asyncio.sleep(0)
    assert not producer._client.closed
    producer._client.gate.set()
    await asyncio.gather(sending, ending)
    assert producer._client.closed


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
