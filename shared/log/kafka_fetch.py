"""The request that reads: all partitions of one broker at once, as bytes both ways.

aiokafka writes and reads such a message field by field; with dozens of partitions that is most of what a batch of a few
records costs.
"""

from collections.abc import Mapping
from io import BytesIO
from struct import Struct
from typing import Any, NamedTuple

from aiokafka.protocol.api import Request, RequestStruct, Response  # type: ignore[import-untyped]
from aiokafka.protocol.fetch import FetchRequest_v11, FetchResponse_v11  # type: ignore[import-untyped]

from shared.log.port import Partition

_NO_REPLICA = _NO_LEADER_EPOCH = _NO_START = _NO_SESSION_EPOCH = -1
_ALSO_UNCOMMITTED = _NO_SESSION = _NOTHING = 0
_BEGINNING = Struct(
    ">iiiibiii"
)  # replica, milliseconds, bytes at least and at most, isolation, session, number of topics
_ASKED = Struct(">iiqqi")  # the partition's number, epoch of the leader, offset, start of the log, bytes at most
_ANSWER = Struct(">ihii")  # milliseconds of throttling, the error's code, session, number of topics
_ANSWERED = Struct(">ihqqqi")  # the partition's number, the error's code, three offsets, number of aborted transactions
_ABORTED_BYTES = 16
_SIZE = Struct(">ii")  # a replica to prefer, bytes of records
_COUNT = Struct(">i")
_TEXT = Struct(">h")


class Wanted(NamedTuple):
    """From which offset of each partition, and how much; the broker collects `least_bytes` or answers at `wait_ms`."""

    offsets: Mapping[Partition, int]
    wait_ms: int
    least_bytes: int
    most_bytes: int
    most_of_partition: int


class Fetched(NamedTuple):
    """The error's code and the batches of records, as they are kept."""

    code: int
    batches: bytes


class _Fetched(Response):  # type: ignore[misc]
    API_KEY = FetchResponse_v11.API_KEY
    API_VERSION = FetchResponse_v11.API_VERSION
    SCHEMA = FetchResponse_v11.SCHEMA

    code: int
    partitions: dict[Partition, Fetched]

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> "_Fetched":
        view, at = (data.getvalue(), data.tell()) if isinstance(data, BytesIO) else (data, 0)  # both without a copy
        answer = cls()
        _, answer.code, _, topics = _ANSWER.unpack_from(view, at)
        answer.partitions, at = {}, at + _ANSWER.size
        for _ in range(topics):
            (size,) = _TEXT.unpack_from(view, at)
            at += _TEXT.size + size
            topic = view[at - size : at].decode()
            (count,) = _COUNT.unpack_from(view, at)
            at += _COUNT.size
            for _ in range(count):
                number, code, _, _, _, aborted = _ANSWERED.unpack_from(view, at)
                at += _ANSWERED.size + _ABORTED_BYTES * max(aborted, 0)
                size = max(_SIZE.unpack_from(view, at)[1], 0)
                at += _SIZE.size + size
                answer.partitions[Partition(topic, number)] = Fetched(code, view[at - size : at])
        return answer


class _Fetch(RequestStruct):  # type: ignore[misc]
    API_KEY = FetchRequest_v11.API_KEY
    API_VERSION = FetchRequest_v11.API_VERSION
    RESPONSE_TYPE = _Fetched
    SCHEMA = FetchRequest_v11.SCHEMA

    wanted: Wanted

    def encode(self) -> bytes:
        wanted = self.wanted
        topics: dict[str, list[Partition]] = {}
        for partition in wanted.offsets:
            topics.setdefault(partition.topic, []).append(partition)
        limits = wanted.wait_ms, wanted.least_bytes, wanted.most_bytes
        session = _NO_SESSION, _NO_SESSION_EPOCH
        parts = [_BEGINNING.pack(_NO_REPLICA, *limits, _ALSO_UNCOMMITTED, *session, len(topics))]
        for topic, partitions in topics.items():
            name = topic.encode()
            parts += (_TEXT.pack(len(name)), name, _COUNT.pack(len(partitions)))
            parts += (
                _ASKED.pack(one.number, _NO_LEADER_EPOCH, wanted.offsets[one], _NO_START, wanted.most_of_partition)
                for one in partitions
            )
        parts += (_COUNT.pack(_NOTHING), _TEXT.pack(_NOTHING))  # nothing of a session to forget, no rack
        return b"".join(parts)


class FetchRequest(Request[_Fetch]):  # type: ignore[misc]
    """Its answer has the error's `code` and the `partitions`."""

    API_KEY = _Fetch.API_KEY

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted

    def build(self, version: type[Any]) -> Any:
        request = version()
        request.wanted = self._wanted
        return request
