"""What is written and read by hand is what aiokafka would write and read."""

from io import BytesIO
from typing import Any

from aiokafka.protocol.fetch import FetchRequest_v11, FetchResponse_v11

from shared.log.kafka_fetch import Fetched, FetchRequest, Wanted, _Fetch, _Fetched
from shared.log.port import Partition

FACTS, OTHERS = Partition("facts", 0), Partition("others", 7)


def test_a_request_has_aiokafkas_bytes() -> None:
    offsets = {FACTS: 12, Partition("facts", 3): 2**40, OTHERS: 0}
    ours = FetchRequest(Wanted(offsets, 500, 1, 48_000, 1_000)).build(_Fetch)
    topics = [("facts", [(0, -1, 12, -1, 1_000), (3, -1, 2**40, -1, 1_000)]), ("others", [(7, -1, 0, -1, 1_000)])]
    theirs = FetchRequest_v11(-1, 500, 1, 48_000, 0, 0, -1, topics, [], "")
    assert ours.encode() == theirs.encode()


def test_an_answer_is_read_as_aiokafka_wrote_it() -> None:
    partitions: list[Any] = [(0, 0, 9, 9, 2, [(5, 6), (7, 8)], -1, b"batches"), (3, 1, -1, -1, -1, None, -1, b"")]
    answer = FetchResponse_v11(0, 0, 0, [("facts", partitions), ("others", [(7, 0, 1, 1, 0, [], 2, b"more")])])
    behind_a_header = BytesIO(b"head" + answer.encode())
    behind_a_header.seek(4)
    read = _Fetched.decode(behind_a_header)
    assert read.code == 0
    assert read.partitions == {
        FACTS: Fetched(0, b"batches"), Partition("facts", 3): Fetched(1, b""), OTHERS: Fetched(0, b"more"),
    }  # fmt: skip
