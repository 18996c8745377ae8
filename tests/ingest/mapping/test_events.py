"""Rows become CloudEvents: every rule that holds, nulls left out, ids as text, one bad value rejects the row."""

import pytest

from services.ingest.mapping import RowError
from tests.ingest.mapping.documents import compiled

TWO_RULES = compiled("""\
ce_source: /olist
timezone: America/Sao_Paulo
rules:
  - emit: order.placed.v1
    id: order
    time: parse_time(bought)
    map: {order_id: order, customer: customer, store: store}
  - when: "state == 'canceled'"
    emit: order.cancelled.v1
    id: "join('/', ['c', order])"
    revision: number(version)
    map: {order_id: order}
otherwise: ignore
""")


def test_one_rule_holds() -> None:
    row = {"order": "o-1", "bought": "2018-01-14 14:33:31", "customer": "c-1", "store": None, "state": "shipped"}
    assert TWO_RULES.events(row) == [
        {
            "specversion": "1.0",
            "id": "o-1",
            "source": "/olist",
            "type": "order.placed.v1",
            "time": "2018-01-14T14:33:31-02:00",
            "data": {"order_id": "o-1", "customer": "c-1"},
        }
    ]


def test_an_empty_text_says_nothing_like_a_null() -> None:
    """Many systems write one where they know nothing; no name may be empty, so it would cost the whole event."""
    (event,) = TWO_RULES.events({"order": "o-1", "bought": None, "customer": "", "store": "", "state": "shipped"})
    assert event["data"] == {"order_id": "o-1"}


def test_every_rule_that_holds_emits() -> None:
    row = {"order": "o-1", "bought": None, "state": "canceled", "version": "2"}
    first, second = TWO_RULES.events(row)
    assert "time" not in first
    assert second == {
        "specversion": "1.0",
        "id": "c/o-1",
        "source": "/olist",
        "type": "order.cancelled.v1",
        "revision": 2,
        "data": {"order_id": "o-1"},
    }


def test_no_rule_holds() -> None:
    mapping = compiled("ce_source: /s\nrules:\n  - {when: a, emit: order.placed.v1, id: b, map: {order_id: b}}\n")
    assert mapping.events({"a": None, "b": "1"}) == []
    assert mapping.events({"a": "", "b": "1"}) == []
    assert len(mapping.events({"a": "0", "b": "1"})) == 1


def test_ids_of_json_files_become_text() -> None:
    (event,) = compiled("""\
ce_source: /s
rules:
  - {emit: order.placed.v1, id: a, map: {order_id: a, customer: b, total: c}}
""").events({"a": 17, "b": 18.0, "c": 19})
    assert event["id"] == "17"
    assert event["data"] == {"order_id": "17", "customer": "18", "total": 19}


@pytest.mark.parametrize("value", [None, "", True, ["x"], {}])
def test_a_row_without_an_id_is_rejected(value: object) -> None:
    with pytest.raises(RowError) as rejected:
        TWO_RULES.events({"order": value})
    assert rejected.value.field == "id"


def test_one_bad_value_rejects_the_whole_row() -> None:
    row = {"order": "o-1", "bought": "2018-01-14", "state": "canceled", "version": "two"}
    with pytest.raises(RowError) as rejected:
        TWO_RULES.events(row)
    assert rejected.value.field == "revision"


def test_a_bad_value_in_when_is_named() -> None:
    mapping = compiled(
        "ce_source: /s\nrules:\n  - {when: number(a), emit: order.placed.v1, id: a, map: {order_id: a}}\n"
    )
    with pytest.raises(RowError) as rejected:
        mapping.events({"a": "x"})
    assert rejected.value.field == "when"


def test_an_expression_may_be_folded_over_lines() -> None:
    folded = compiled("""\
ce_source: /olist
rules:
  - emit: order.placed.v1
    id: >-
      join('/',
      [order, 'placed'])
    map: {order_id: order}
""")
    assert [event["id"] for event in folded.events({"order": "o-1"})] == ["o-1/placed"]
