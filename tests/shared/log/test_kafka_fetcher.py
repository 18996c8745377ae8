"""Where a fetcher stands in a partition: it hands out each record once, also from the middle of a batch."""

from typing import Any

import pytest
from aiokafka.errors import OffsetOutOfRangeError, TopicAuthorizationFailedError
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from shared.log.kafka_fetcher import _error, _Place
from shared.log.port import Partition


def batch(first: int, count: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1_000_000)
    for number in range(count):
        builder.append(number, 0, b"key", b"value", [])
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def place(at: int, *batches: bytes) -> _Place:
    made = _Place()
    made.seek(at)
    made.take_in(b"".join(batches))
    return made


def offsets(records: list[Any]) -> list[int]:
    return [record.offset for record in records]


def test_records_are_handed_out_once_over_the_ends_of_batches() -> None:
    read = place(10, batch(10, 3), batch(13, 2))
    assert read.ahead == 15
    assert offsets(read.take(2)) == [10, 11]
    assert read.position == 12
    assert offsets(read.take(100)) == [12, 13, 14]
    assert (read.position, read.waiting_bytes, read.take(1)) == (15, 0, [])


def test_a_batch_is_read_from_its_middle() -> None:
    read = place(14, batch(10, 6))
    assert offsets(read.take(1)) == [14]
    assert offsets(read.take(2)) == [15]


def test_what_is_cut_off_is_asked_for_again() -> None:
    whole = batch(10, 3)
    read = place(10, whole, batch(13, 2)[:-1])
    assert (read.ahead, offsets(read.take(100))) == (13, [10, 11, 12])


def test_a_batch_that_is_not_what_was_sent_is_not_handed_out() -> None:
    broken = bytearray(batch(13, 2))
    broken[-1] ^= 1
    read = place(10, batch(10, 3), bytes(broken))
    assert offsets(read.take(100)) == [10, 11, 12]
    assert "15" in str(read.error)
    assert not read.may_ask


def test_who_has_enough_does_not_ask() -> None:
    read = place(0, batch(0, 2))
    assert read.may_ask
    read.waiting_bytes = 2**20
    assert not read.may_ask


@pytest.mark.parametrize(("code", "kind"), [(1, OffsetOutOfRangeError), (29, TopicAuthorizationFailedError)])
def test_what_does_not_pass_is_told(code: int, kind: type[Exception]) -> None:
    assert isinstance(_error(Partition("facts", 0), 5, code), kind)


def test_another_leader_passes() -> None:
    assert _error(Partition("facts", 0), 5, 6) is None
