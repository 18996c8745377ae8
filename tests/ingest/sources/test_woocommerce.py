"""WooCommerce: the documented order, the documented review, and what an order says about refunds."""

from typing import Any

import pytest

from tests.ingest.sources.mapped import events, ignored, judged, mapped, sample, samples

PLACED = {
    "type": "order.placed.v1",
    "id": "727",
    "time": "2017-03-22T19:28:02Z",
    "data": {
        "order_id": "727",
        "customer": "guest-727",
        "total": {"amount": 2_935, "currency": "USD"},
        "channel": "rest-api",
        "items": [
            {"product": "93", "name": "Woo Single #1", "quantity": 2},
            {"product": "22", "name": "Ship Your Idea – Color: Black, Size: M Test", "quantity": 1},
        ],
    },
}
BUYER = {
    "type": "customer.updated.v1",
    "id": "order:727:2017-03-22T19:28:08",
    "time": "2017-03-22T19:28:08Z",
    "data": {
        "customer": "guest-727",
        "name": "John Doe",
        "email": "john.doe@example.com",
        "phone": "(555) 555-5555",
    },
}
REVIEW = {
    "type": "feedback.received.v1",
    "id": "review-22",
    "time": "2018-10-18T20:59:17Z",
    "data": {
        "metric": "rating",
        "score": 5.0,
        "scale_min": 1.0,
        "scale_max": 5.0,
        "feedback_id": "review-22",
        "text": "Nice album!",
        "touchpoint": "product_review",
        "product": "22",
    },
}
EXPECTED = {"order.created": [PLACED, BUYER], "product_review_object": [REVIEW]}
IGNORED = ("coupon.created", "product.created", "product.updated", "refund_object")


@pytest.mark.parametrize("name", EXPECTED)
def test_what_was_published_becomes(name: str) -> None:
    assert mapped("woocommerce", name) == EXPECTED[name]


@pytest.mark.parametrize("name", IGNORED)
def test_the_rest_is_counted(name: str) -> None:
    assert ignored("woocommerce", name) == {"no_rule": 1}


def test_every_sample_is_told() -> None:
    if not samples("woocommerce"):
        pytest.skip("../shared/payloads is not here")
    assert set(samples("woocommerce")) == {*EXPECTED, *IGNORED}


def _order(**changed: Any) -> list[dict[str, Any]]:
    headers, body = sample("woocommerce", "order.created")
    return events(judged("woocommerce", {**body, **changed}, headers))


def test_a_customer_with_an_account_is_known_by_it() -> None:
    placed, updated = _order(customer_id=26)
    assert (placed["data"]["customer"], updated["data"]["customer"]) == ("26", "26")


def test_a_cancelled_order_was_placed_and_cancelled() -> None:
    found = _order(status="cancelled", date_modified_gmt="2017-03-23T08:00:00")
    assert [(one["type"], one["id"], one["time"]) for one in found] == [
        ("order.placed.v1", "727", "2017-03-22T19:28:02Z"),
        ("order.cancelled.v1", "727", "2017-03-23T08:00:00Z"),
        ("customer.updated.v1", "order:727:2017-03-23T08:00:00", "2017-03-23T08:00:00Z"),
    ]


def test_a_refund_is_the_same_however_often_the_order_is_sent() -> None:
    refunds = [{"id": 726, "reason": "", "total": "-10.00"}, {"id": 730, "reason": "", "total": "-0.35"}]
    first, again = (
        [one for one in _order(refunds=refunds, date_modified_gmt=at) if one["type"] == "refund.issued.v1"]
        for at in ("2017-03-23T08:00:00", "2017-03-24T09:00:00")
    )
    assert [one["data"] for one in first] == [
        {"refund_id": "726", "order_id": "727", "amount": {"amount": 1_000, "currency": "USD"}},
        {"refund_id": "730", "order_id": "727", "amount": {"amount": 35, "currency": "USD"}},
    ]
    assert [(one["id"], one["data"], one["revision"]) for one in again] == [
        (one["id"], one["data"], one["revision"]) for one in first
    ]


def test_a_basket_is_no_order_and_an_unapproved_review_no_answer() -> None:
    headers, body = sample("woocommerce", "order.created")
    assert judged("woocommerce", {**body, "status": "checkout-draft"}, headers).ignored == {"not_ordered_yet": 1}
    _, review = sample("woocommerce", "product_review_object")
    assert judged("woocommerce", {**review, "status": "spam"}).ignored == {"review_not_approved": 1}
    assert judged("woocommerce", {**review, "rating": 0}).ignored == {"review_without_stars": 1}


def test_an_order_is_placed_once_its_payment_did_not_fail() -> None:
    headers, body = sample("woocommerce", "order.created")
    for status in ("pending", "failed"):
        judgement = judged("woocommerce", {**body, "status": status}, headers)
        assert (judgement.made, judgement.ignored) == ([], {"not_paid_yet": 1})
    for status in ("on-hold", "processing", "completed", "of-a-plug-in"):
        assert _order(status=status)[0]["data"] == PLACED["data"]


def test_an_address_without_a_name_is_kept() -> None:
    headers, body = sample("woocommerce", "order.created")
    billing = {**dict.fromkeys(body["billing"], ""), "phone": "+48500100200"}
    assert events(judged("woocommerce", {**body, "billing": billing}, headers))[-1]["data"] == {
        "customer": "guest-727", "phone": "+48500100200",
    }  # fmt: skip
