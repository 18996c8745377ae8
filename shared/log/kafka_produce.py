"""One request to a broker, with a batch for each of its partitions that something waits for.

aiokafka's own producer makes futures, a task and a timer for every partition's batch. A few events lie in each, so that
was most of what an event cost; here all of it is done once a request.
"""

import asyncio
from collections.abc import Iterable, Mapping
from io import BytesIO
from struct import Struct
from typing import Any

from aiokafka import TopicPartition  # type: ignore[import-untyped]
from aiokafka.client import AIOKafkaClient, ConnectionGroup  # type: ignore[import-untyped]
from aiokafka.conn import AIOKafkaConnection, CloseReason  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaConnectionError,
    KafkaError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NoError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response  # type: ignore[import-untyped]
from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7  # type: ignore[import-untyped]

from shared.log.kafka_clients import Disposable
from shared.log.kafka_connection import REQUEST_MS, KafkaConnection
from shared.log.port import Partition

_NO_TRANSACTION = _ALL_IN_SYNC = -1
_BEGINNING = Struct(">hhii")  # transaction, acks, milliseconds the replicas have, number of topics
_COUNT = Struct(">i")
_TEXT = Struct(">h")
_BATCH = Struct(">ii")  # the partition's number, the batch's bytes
_OUTCOME = Struct(">ihqqq")  # the partition's number, the error's code, offset, time, start of the log

Batches = Mapping[Partition, bytes]


class Producer:
    """Not idempotent: aiokafka's waits for ever on a broker that is down, if it is; readers absorb repeats anyway."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._client = AIOKafkaClient(bootstrap_servers=connection.servers, **connection.options)
        self._under_way: set[asyncio.Future[_Produced]] = set()

    async def start(self) -> None:
        await self._client.bootstrap()

    async def stop(self) -> None:
        """What is on its way gets its answer first; whoever sent it has bounded that."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._client.close()

    async def leaders(self, partitions: Iterable[Partition], *, anew: bool) -> list[int | Exception]:
        """Which broker takes what belongs to each, or why none does; `anew` where what is known was wrong."""
        asked = list(partitions)
        known = [self._leader(partition) for partition in asked]
        if not anew and all(isinstance(leader, int) for leader in known):
            return known
        for topic in {partition.topic for partition in asked}:
            self._client.add_topic(topic)
        if not await self._client.force_metadata_update():
            return [KafkaConnectionError("no broker says who leads what") for _ in asked]
        return [self._leader(partition) for partition in asked]

    def _leader(self, partition: Partition) -> int | Exception:
        cluster = self._client.cluster
        if partition.topic in cluster.unauthorized_topics:
            return TopicAuthorizationFailedError(partition.topic)  # type: ignore[no-any-return]
        leader: int | None = cluster.leader_for_partition(TopicPartition(*partition))
        if leader is None:
            return UnknownTopicOrPartitionError()  # type: ignore[no-any-return]
        return LeaderNotAvailableError() if leader == -1 else leader

    async def send(self, broker: int, batches: Batches) -> list[Exception | None]:
        """What the broker says of each, once all replicas in sync have it; None when it is kept.

        Raises when it says nothing: then any of them may be kept all the same.
        """
        if not await self._client.ready(broker):
            raise NodeNotReadyError(f"broker {broker} cannot be reached")
        connection = self._client._conns[broker, ConnectionGroup.DEFAULT]
        answered = _sent(connection, batches)
        self._under_way.add(answered)
        try:
            answer = await asyncio.wait_for(answered, REQUEST_MS / 1000)
        except TimeoutError as error:
            connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
            raise RequestTimedOutError() from error
        finally:
            self._under_way.remove(answered)
        return [_error(answer.codes.get(partition)) for partition in batches]


def _sent(connection: AIOKafkaConnection, batches: Batches) -> "asyncio.Future[_Produced]":
    """As the connection's own `send` does it, which copies what is sent twice: megabytes, with batches of a hundred."""
    if connection._writer is None:
        raise KafkaConnectionError("the connection was closed")
    request = _ProduceRequest(batches).prepare(connection._versions)
    number = connection._next_correlation_id()
    head = request.build_request_header(number, connection._client_id).encode()
    parts = [head, *request.parts()]
    connection._writer.writelines([_COUNT.pack(sum(map(len, parts))), *parts])
    answered: asyncio.Future[_Produced] = asyncio.get_running_loop().create_future()
    connection._requests.append((number, request, answered))
    return answered


def _error(code: int | None) -> Exception | None:
    if code is None:
        return KafkaError("no word of it in the answer")  # type: ignore[no-any-return]
    kind = for_code(code)
    return None if kind is NoError else kind()


class _Produced(Response):  # type: ignore[misc]
    """Read at once: aiokafka's own reading, field by field, takes several times as long."""

    API_KEY = ProduceResponse_v7.API_KEY
    API_VERSION = ProduceResponse_v7.API_VERSION
    SCHEMA = ProduceResponse_v7.SCHEMA

    codes: dict[Partition, int]

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> "_Produced":
        view = data.read() if isinstance(data, BytesIO) else data
        answer, at = cls(), _COUNT.size
        answer.codes = {}
        for _ in range(_COUNT.unpack_from(view)[0]):
            size = _TEXT.unpack_from(view, at)[0]
            at += _TEXT.size
            topic = view[at : at + size].decode()
            at += size
            (count,) = _COUNT.unpack_from(view, at)
            at += _COUNT.size
            for number, code, *_ in _OUTCOME.iter_unpack(view[at : at + count * _OUTCOME.size]):
                answer.codes[Partition(topic, number)] = code
            at += count * _OUTCOME.size
        return answer


class _Produce(RequestStruct):  # type: ignore[misc]
    API_KEY = ProduceRequest_v7.API_KEY
    API_VERSION = ProduceRequest_v7.API_VERSION
    RESPONSE_TYPE = _Produced
    SCHEMA = ProduceRequest_v7.SCHEMA

    batches: Batches

    def parts(self) -> list[bytes]:
        topics: dict[str, list[Partition]] = {}
        for partition in self.batches:
            topics.setdefault(partition.topic, []).append(partition)
        parts: list[bytes] = [_BEGINNING.pack(_NO_TRANSACTION, _ALL_IN_SYNC, REQUEST_MS, len(topics))]
        for topic, partitions in topics.items():
            name = topic.encode()
            parts += (_TEXT.pack(len(name)), name, _COUNT.pack(len(partitions)))
            for partition in partitions:
                batch = self.batches[partition]
                parts += (_BATCH.pack(partition.number, len(batch)), batch)
        return parts


class _ProduceRequest(Request[_Produce]):  # type: ignore[misc]
    API_KEY = _Produce.API_KEY

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def build(self, version: type[Any]) -> Any:
        request = version()
        request.batches = self._batches
        return request


def producer(connection: KafkaConnection) -> Disposable[Producer]:
    return Disposable(connection, lambda: Producer(connection), Producer.stop)
