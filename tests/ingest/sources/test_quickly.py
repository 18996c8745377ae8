"""A delivery is judged quickly as it is judged with care: every sample, and what may come instead of it."""

import copy
import json
import random
from typing import Any

import pytest

from services.ingest.webhooks.document import SourceDocument, compile_source
from services.ingest.webhooks.judging import Delivered, Judgement, judge, judge_all
from services.ingest.webhooks.request import Request
from shared.events.catalogue import ACCEPTED_TYPES
from tests.ingest.sources.mapped import NOW, document, sample, samples

# Others have something in their documents that is only asked node by node.
WRITTEN = {"shopify": "shopify", "zammad": "zammad", "zendesk": "zendesk", "amazon-connect": "amazon_connect"}
SAMPLES = [(name, vendor, one) for name, vendor in WRITTEN.items() for one in samples(vendor)]
ODD: list[Any] = [
    None, True, False, 0, 1, -3, 3.0, 2.5, 1e300, 10**30, "", "x", "12.34", "delivered", "\u0007", "ż" * 300, [], {},
    [1, 2], {"a": 1}, [None], ["a", "b"], "2026-11-20T10:00:00Z", "2026-11-20", "x" * 5_000, [{"kind": "refund"}],
]  # fmt: skip
_FIELD = "'''); raise SystemExit #"
_TEXT = '"""\\\n); raise SystemExit #'
HOSTILE = {
    "source": "odd",
    "version": 1,
    "verify": {"scheme": "api_key"},
    "idempotency": json.dumps(_FIELD),
    "rules": [
        {"when": f"{json.dumps(_FIELD)} == '{_TEXT}'", "ignore": "odd_one"},
        {"emit": "order.placed.v1", "id": "'{name} %s'", "map": {"order_id": '"__class__"', "store": '"left = 0"'}},
    ],
}


def said(judgement: Judgement) -> tuple[Any, ...]:
    made = [(one.admitted, one.emitted) for one in judgement.made]
    counted = dict(judgement.ignored), dict(judgement.errors)
    return judgement.delivery, made, counted, judgement.mistakes, judgement.readable, judgement.reason


def request_of(headers: dict[str, Any], body: Any) -> Request:
    lowered = {key.lower(): str(value) for key, value in headers.items()}
    return Request("POST", "https://petla.example.com/webhooks/x", lowered, json.dumps(body).encode())


def changed(body: Any, chance: random.Random) -> Any:
    """Something in it is gone, or something else."""
    body = copy.deepcopy(body)
    for _ in range(chance.choice((1, 1, 2, 4))):
        inner = body
        while isinstance(inner, dict | list) and inner:
            at = chance.choice(list(inner)) if isinstance(inner, dict) else chance.randrange(len(inner))
            if chance.random() < 0.3 or not isinstance(inner[at], dict | list) or not inner[at]:
                inner[at] = copy.deepcopy(chance.choice(ODD))
                break
            inner = inner[at]
    return body


def judged_quickly(source: SourceDocument, request: Request) -> Judgement:
    (judgement,) = judge_all([Delivered(source, request, NOW)])
    return judgement


@pytest.mark.parametrize(("name", "vendor", "one"), SAMPLES)
def test_it_says_the_same(name: str, vendor: str, one: str) -> None:
    headers, body = sample(vendor, one)
    source, chance = document(name), random.Random(one)
    for number in range(30):
        request = request_of(headers, changed(body, chance) if number else body)
        assert said(judged_quickly(source, request)) == said(judge(source, request, NOW, None))


@pytest.mark.parametrize("name", WRITTEN)
def test_the_rules_are_written(name: str) -> None:
    assert document(name).straight is not None


def test_no_text_of_a_document_is_run() -> None:
    source = compile_source(json.dumps(HOSTILE), "odd.yaml", ACCEPTED_TYPES)
    assert source.straight is not None
    for body in ({}, {"__class__": "x", "left = 0": 7}, {_FIELD: _TEXT}, {_FIELD: 7}):
        request = request_of({}, body)
        assert said(judged_quickly(source, request)) == said(judge(source, request, NOW))


def test_a_delivery_that_is_as_most_are_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> Judgement:
        raise AssertionError("asked node by node")

    monkeypatch.setattr("services.ingest.webhooks.judging.judge", asked)
    headers, body = sample("shopify", "orders_create")
    assert len(judged_quickly(document("shopify"), request_of(headers, body)).made) == 3
