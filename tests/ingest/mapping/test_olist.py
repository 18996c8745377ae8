"""The mappings of examples/olist on the real files give the events that were counted apart from this system."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.ingest.mapping import compile_mapping
from shared.events.catalogue import ACCEPTED_TYPES, TYPES

ROOT = Path(__file__).parents[3]
DATA = ROOT / "../shared/data/olist"
EXAMPLES = ROOT / "examples/olist"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Olist files (../shared/data/olist) are not here")


def events(example: str, file: str) -> Iterator[dict[str, Any]]:
    mapping = compile_mapping((EXAMPLES / example).read_text(), example, ACCEPTED_TYPES)
    with gzip.open(DATA / file, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            yield from mapping.events({name: cell or None for name, cell in row.items()})


def test_reviews_are_14944_answers() -> None:
    found = list(events("reviews.yaml", "reviews_union.csv.gz"))
    assert Counter(event["data"]["score"] for event in found) == {1: 1701, 2: 478, 3: 1281, 4: 2887, 5: 8597}
    assert len({event["id"] for event in found}) == 14_944
    texts = Counter(event["data"]["score"] for event in found if "text" in event["data"])
    # Comment given by score, in percent: 77.9, 69.46, 42.7, 31.9, 35.44.
    assert [round(100 * texts[score] / n, 2) for score, n in ((1, 1701), (2, 478), (4, 2887))] == [77.9, 69.46, 31.9]


def test_orders_are_late_by_the_date_in_sao_paulo() -> None:
    found = list(events("orders.yaml", "orders_union.csv.gz"))
    kinds = Counter(event["type"] for event in found)
    assert kinds["order.placed.v1"] == kinds["delivery.promised.v1"] == 15_000
    assert kinds["delivery.completed.v1"] == 14_552
    promised = {e["data"]["order_id"]: e["data"]["promised_date"] for e in found if "promised_date" in e["data"]}
    completed = {
        e["data"]["order_id"]: datetime.fromisoformat(e["data"]["completed_at"]).date().isoformat()
        for e in found
        if "completed_at" in e["data"]
    }
    late = sum(day > promised[order] for order, day in completed.items())
    assert round(100 * late / len(completed), 3) == 6.576


@pytest.mark.parametrize(
    ("example", "file"), [("reviews.yaml", "reviews_union.csv.gz"), ("orders.yaml", "orders_union.csv.gz")]
)
def test_every_event_is_one_that_the_door_takes(example: str, file: str) -> None:
    import msgspec

    for event in events(example, file):
        TYPES[event["type"]].decoder.decode(msgspec.json.encode(event["data"]))
