"""What a delivery may make is bounded, and a revision lies where no version of the document overtakes it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest

from services.ingest.webhooks.document import compile_source
from services.ingest.webhooks.judging import Judgement, judge
from services.ingest.webhooks.request import Request
from shared.events.catalogue import ACCEPTED_TYPES

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LARGEST = 9_007_199_254_739  # the sender's: 1,000 of these and 999 versions stay below 2^53
DOCUMENT = """\
source: many
version: 999
verify: {scheme: api_key}
revision: revision
rules:
  - {foreach: items, emit: order.placed.v1, id: item, map: {order_id: item}}
  - {foreach: items, emit: order.cancelled.v1, id: item, map: {order_id: item}}
"""


def judged(**body: Any) -> Judgement:
    document = compile_source(DOCUMENT, "many.yaml", ACCEPTED_TYPES)
    return judge(document, Request("POST", "https://x/webhooks/many", {}, json.dumps(body).encode()), NOW)


@pytest.mark.parametrize(
    ("revision", "expected"),
    [(None, 999), (0, 999), (7, 7_999), ("7", 7_999), (7.0, 7_999), (LARGEST, LARGEST * 1_000 + 999)],
)
def test_the_senders_revision_leaves_room_for_the_documents(revision: Any, expected: int) -> None:
    found = judged(items=["o-1"], revision=revision)
    assert {made.emitted.revision for made in found.made} == {expected}
    assert expected < 2**53


@pytest.mark.parametrize(
    ("revision", "code"),
    [
        (-1, "out_of_range"),
        (LARGEST + 1, "out_of_range"),
        (10**18, "out_of_range"),
        (1.5, "wrong_type"),
        (True, "wrong_type"),
        ("7a", "wrong_type"),
        ("٧", "wrong_type"),
        ([1], "wrong_type"),
    ],
)
def test_what_is_no_revision_is_told(revision: Any, code: str) -> None:
    found = judged(items=["o-1"], revision=revision)
    assert (found.made, found.errors) == ([], {code: 2})
    assert ("between 0 and 9007199254739" if code == "out_of_range" else "whole number") in found.mistakes[0]


def test_a_delivery_makes_at_most_a_thousand_events() -> None:
    found = judged(items=[f"o-{number}" for number in range(600)])
    assert (len(found.made), found.errors) == (1_000, {"too_many_events": 1})


def test_a_rule_has_at_most_a_thousand_items() -> None:
    found = judged(items=[f"o-{number}" for number in range(1_001)])
    assert (found.made, found.errors) == ([], {"mapping_failed": 2})
    assert found.mistakes[0] == "foreach: 1001 items: at most 1000"


def test_every_event_of_a_delivery_is_paid_for_by_one_budget() -> None:
    found = judged(items=[f"o-{number}" for number in range(400)], more=["x" * 1_000] * 400)
    assert (len(found.made), found.errors) == (800, {})
    dear = DOCUMENT.replace(
        "id: item, map: {order_id: item}", "id: 'join(`\"-\"`, [item, to_string(root)])', map: {order_id: item}"
    )
    document = compile_source(dear, "many.yaml", ACCEPTED_TYPES)
    body = json.dumps({"items": [f"o-{number}" for number in range(400)], "more": ["x" * 1_000] * 400}).encode()
    spent = judge(document, Request("POST", "https://x/webhooks/many", {}, body), NOW)
    assert any("too much" in mistake for mistake in spent.mistakes)


@pytest.mark.parametrize(
    ("expression", "made"),
    [
        ("_body_sha256", 1),
        ("join('', [_body_sha256 || item])", 1),
        ("[_body_sha256] | [0]", 1),
        ("values(@)[?type(@) == 'string' && length(@) == `64`] | [0]", 1),  # looks at all there is
        ("id", 0),
    ],
)
def test_the_bodys_hash_is_made_for_who_asks_for_it(
    expression: str, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"items": ["o-1"], "id": "1"}'
    hashed = hashlib.sha256(body).hexdigest()
    hash_of = Mock(return_value=hashed)
    monkeypatch.setattr(Request, "body_sha256", property(hash_of))
    rule = f"  - {{emit: order.placed.v1, id: {json.dumps(expression)}, map: {{order_id: id}}}}"
    text = f"source: many\nverify: {{scheme: api_key}}\nidempotency: id\nrules:\n{rule}\n"
    found = judge(compile_source(text, "m.yaml", ACCEPTED_TYPES), Request("POST", "https://x/", {}, body), NOW)
    assert found.made[0].event["id"] == (hashed if made else "1")
    assert hash_of.call_count == made


@pytest.mark.parametrize(
    ("fields", "made", "errors"),
    [
        ("{order_id: id}", 1, {}),
        ("{order_id: id, other: deep}", 0, {"too_deep": 1}),
        ("{order_id: 'deep[0][0][0] && id'}", 1, {}),
    ],
)
def test_what_is_nested_too_deep_is_refused_with_the_event_that_holds_it(
    fields: str, made: int, errors: dict[str, int]
) -> None:
    rule = f"  - {{emit: order.placed.v1, id: id, map: {fields}}}"
    document = compile_source(f"source: many\nverify: {{scheme: api_key}}\nrules:\n{rule}\n", "m.yaml", ACCEPTED_TYPES)
    body = b'{"id": "1", "deep": ' + b"[" * 40 + b"1" + b"]" * 40 + b"}"
    found = judge(document, Request("POST", "https://x/", {}, body), NOW)
    assert (len(found.made), dict(found.errors)) == (made, errors)


@pytest.mark.parametrize(
    "expression", ["to_string(deep)", "deep == deep", "join('', deep[])", "type(deep)", "[deep][]"]
)
def test_no_depth_that_can_be_read_harms_an_expression(expression: str) -> None:
    rule = f'  - {{emit: order.placed.v1, id: id, when: "{expression}", map: {{order_id: id}}}}'
    document = compile_source(f"source: many\nverify: {{scheme: api_key}}\nrules:\n{rule}\n", "m.yaml", ACCEPTED_TYPES)
    for levels in (100, 500, 800, 900, 1_000, 10_000):
        body = b'{"id": "1", "deep": ' + b"[" * levels + b"1" + b"]" * levels + b"}"
        found = judge(document, Request("POST", "https://x/", {}, body), NOW)
        assert found.made or found.errors
