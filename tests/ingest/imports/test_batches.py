"""Batches hold whole rows and stay small in memory; requests stay within the API's limits whatever one row gives."""

import itertools
from collections.abc import Iterator

from services.ingest.imports.batches import MOST_BYTES, Batch, batches, requests
from services.ingest.imports.rows import Row
from tests.ingest.mapping.documents import compiled

MAPPING = compiled("""\
ce_source: /s
rules:
  - {when: a, emit: order.placed.v1, id: a, map: {order_id: a, store: text}}
""")


def test_reading_stays_a_batch_ahead_and_no_more() -> None:
    taken = 0

    def rows() -> Iterator[Row]:
        nonlocal taken
        for taken in itertools.count(1):
            yield Row(taken, {"a": "x", "text": "t" * 100_000})

    first, second = itertools.islice(batches(rows(), MAPPING), 2)
    assert first.size <= MOST_BYTES
    assert first.rows == second.rows == 44
    assert taken == 89


def test_rows_that_are_ignored_or_rejected_make_batches_too() -> None:
    sizes = [
        (batch.rows, batch.ignored, len(batch.rejections))
        for batch in batches((Row(number, {}, "bad" if number % 2 else None) for number in range(12_000)), MAPPING)
    ]
    assert sizes == [(5000, 2500, 2500), (5000, 2500, 2500), (2000, 1000, 1000)]


def test_one_row_may_give_more_than_one_request() -> None:
    many = Batch(lines=[b"{}"] * 1200)
    assert list(requests(many)) == [slice(0, 500), slice(500, 1000), slice(1000, 1200)]
    large = Batch(lines=[b"x" * 1_500_000] * 4)
    assert list(requests(large)) == [slice(0, 2), slice(2, 4)]
    assert list(requests(Batch())) == []
