"""The functions that nested payloads need: null stays null, what cannot be read is told by name."""

from typing import Any

import pytest

from services.ingest.mapping import RowError
from tests.ingest.mapping.documents import evaluate

FIELDS = [{"id": "a", "title": "Gwiazdki"}, {"id": "b"}, {"id": True, "title": "yes"}, {"id": 1, "title": "one"}, "x"]


@pytest.mark.parametrize(
    ("expression", "row", "expected"),
    [
        ("text(a)", {"a": 820982911946154509}, "820982911946154509"),
        ("text(a)", {"a": 3.0}, "3"),
        ("text(a)", {"a": 1.5}, "1.5"),
        ("text(a)", {"a": "x"}, "x"),
        ("text(a)", {"a": None}, None),
        ("upper(a)", {"a": "pln"}, "PLN"),
        ("split(a, '/')[-1]", {"a": "gid://shopify/Order/17"}, "17"),
        ("split(a, '::')", {"a": "a::b"}, ["a", "b"]),
        ("split(a, '/')", {}, None),
        ("find(fields, 'id', item).title", {"fields": FIELDS, "item": "a"}, "Gwiazdki"),
        ("find(fields, 'id', item).title", {"fields": FIELDS, "item": 1}, "one"),
        ("find(fields, 'id', item).title", {"fields": FIELDS, "item": "z"}, None),
        ("find(fields, 'none', item)", {"fields": FIELDS, "item": None}, None),
        ("find(fields, 'id', item)", {"item": "a"}, None),
        ("from_epoch(a)", {"a": 1_795_176_000}, "2026-11-20T12:00:00+00:00"),
        ("from_epoch(a)", {"a": "1795176000"}, "2026-11-20T12:00:00+00:00"),
        ("from_epoch(a, 'ms')", {"a": 1_795_176_000_250}, "2026-11-20T12:00:00.250000+00:00"),
        ("from_epoch(a)", {"a": 0}, "1970-01-01T00:00:00+00:00"),
        ("from_epoch(a)", {}, None),
        ("milliseconds(a)", {"a": "2026-11-20T13:00:00.25+01:00"}, 1_795_176_000_250),
        ("milliseconds(a)", {"a": "2026-11-20 13:00:00"}, 1_795_176_000_000),  # in Warsaw, as the document says
        ("milliseconds(a)", {}, None),
        ("seconds_between(a, b)", {"a": "2026-11-20T12:00:00Z", "b": "2026-11-20T13:00:30+01:00"}, 30),
        ("seconds_between(a, b)", {"a": "2026-11-20T12:00:00.5Z", "b": "2026-11-20T12:00:00Z"}, -0.5),
        ("seconds_between(a, b)", {"a": "2026-11-20T12:00:00Z"}, None),
        ("seconds_between(a, b)", {"b": "2026-11-20T12:00:00Z"}, None),
        ("total(a, 'PLN')", {"a": ["0.10", 0.2, None, "12.34"]}, {"amount": 1264, "currency": "PLN"}),
        ("total(a, 'PLN')", {"a": []}, {"amount": 0, "currency": "PLN"}),
        ("total(a[].price, 'JPY')", {"a": [{"price": 500}, {}]}, {"amount": 500, "currency": "JPY"}),
        ("total(a, 'PLN')", {}, None),
    ],
)
def test_it_gives(expression: str, row: dict[str, Any], expected: Any) -> None:
    found = evaluate(expression, row)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("expression", "row", "words"),
    [
        ("text(a)", {"a": True}, "neither text nor a number"),
        ("text(a)", {"a": [1]}, "neither text nor a number"),
        ("split(a, '')", {"a": "x"}, "at least one character"),
        ("split(a, '/')", {"a": 1}, "not text"),
        ("find(a, 'id', 'x')", {"a": {"id": "x"}}, "a list of objects"),
        ("from_epoch(a)", {"a": "soon"}, "no number of seconds"),
        ("from_epoch(a)", {"a": True}, "no number of seconds"),
        ("from_epoch(a)", {"a": 10**18}, "outside the calendar"),
        ("from_epoch(a)", {"a": 1e300}, "from_epoch() cannot read this"),
        ("from_epoch(a, 'h')", {"a": 1}, "'s' or 'ms'"),
        ("milliseconds(a)", {"a": 1_795_176_000}, "from_epoch()"),
        ("milliseconds(a)", {"a": "yesterday"}, "ISO 8601"),
        ("seconds_between(a, a)", {"a": 5}, "each as text"),
        ("total(a, 'PLN')", {"a": "12.34"}, "of a list"),
        ("total(a, 'PLN')", {"a": ["12.345"]}, "more decimals"),
        ("total(a, b)", {"a": [], "b": "zł"}, "is not a currency"),
        ("upper(a)", {"a": 1}, "not text"),
    ],
)
def test_what_it_cannot_read_is_told(expression: str, row: dict[str, Any], words: str) -> None:
    with pytest.raises(RowError) as refused:
        evaluate(expression, row)
    assert words in refused.value.message
