"""Shopify: every captured delivery, by hand, and what the captures do not show."""

from typing import Any

import pytest

from tests.ingest.sources.mapped import events, ignored, judged, mapped, sample, samples

ORDER = "820982911946154500"  # rounded by whoever captured it; Shopify sends it whole
AT = "2021-12-31T19:00:00-05:00"
IPOD = {
    "product": "632910392",
    "name": "IPod Nano - 8GB",
    "quantity": 1,
    "price": {"amount": 19_900, "currency": "USD"},
}
PLACED = {
    "type": "order.placed.v1",
    "id": ORDER,
    "time": AT,
    "data": {
        "order_id": ORDER,
        "customer": "115310627314723950",
        "total": {"amount": 38_800, "currency": "USD"},
        "channel": "web",
        "items": [IPOD, IPOD],
    },
}
CANCELLED = {"type": "order.cancelled.v1", "id": ORDER, "time": AT, "data": {"order_id": ORDER}}
BUYER = {
    "type": "customer.updated.v1",
    "id": f"order:{ORDER}:{AT}",
    "time": AT,
    "data": {
        "customer": "115310627314723950",
        "name": "John Smith",
        "email": "john@example.com",
        "phone": "123-123-1234",
        "language": "en",
    },
}
BOB = {
    "type": "customer.updated.v1",
    "id": f"706405506930370000:{AT}",
    "time": AT,
    "data": {"customer": "706405506930370000", "name": "Bob Biller", "email": "bob@biller.com"},
}
WHOLE_ORDER = [PLACED, CANCELLED, BUYER]  # the captured order is a cancelled one under every topic


def _return(time: str) -> list[dict[str, Any]]:
    data = {"return_id": "123134564567890", "order_id": "4783296544821"}
    return [{"type": "return.requested.v1", "id": "123134564567890", "time": time, "data": data}]


EXPECTED: dict[str, list[dict[str, Any]]] = {
    "orders_create": WHOLE_ORDER,
    "orders_paid": WHOLE_ORDER,
    "orders_updated": WHOLE_ORDER,
    "orders_cancelled": WHOLE_ORDER,
    "orders_fulfilled": WHOLE_ORDER,
    "orders_partially_fulfilled": WHOLE_ORDER,
    "customers_create": [BOB],
    "customers_update": [BOB],
    "returns_request": _return("2024-08-07T23:01:59.160233Z"),
    "returns_approve": _return("2024-08-07T23:01:31.834008Z"),
}
IGNORED = {
    "app_uninstalled": "no_rule",
    "disputes_create": "no_rule",
    "fulfillment_events_create": "not_delivered_yet",  # in transit
    "fulfillments_create": "not_delivered_yet",
    "fulfillments_update": "not_delivered_yet",
    "refunds_create": "nothing_paid_back",  # no transaction
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_was_captured_becomes(name: str) -> None:
    assert mapped("shopify", name) == EXPECTED[name]


@pytest.mark.parametrize("name", IGNORED)
def test_what_is_ignored_is_counted(name: str) -> None:
    assert ignored("shopify", name) == {IGNORED[name]: 1}


def test_every_capture_is_told() -> None:
    if not samples("shopify"):
        pytest.skip("../shared/payloads is not here")
    assert set(samples("shopify")) == EXPECTED.keys() | IGNORED.keys()


def test_the_later_state_of_an_order_wins_in_any_order_of_arrival() -> None:
    headers, body = sample("shopify", "orders_updated")
    early, late = ({**body, "updated_at": f"2026-11-2{day}T10:00:00Z", "total_price": f"{day}.50"} for day in (0, 1))
    first, second = (next(iter(events(judged("shopify", each, headers)))) for each in (early, late))
    assert (first["id"], first["data"]["total"]["amount"]) == (ORDER, 50)
    assert (second["id"], second["data"]["total"]["amount"]) == (ORDER, 150)
    assert first["revision"] < second["revision"]


def test_a_parcel_is_delivered_once_whichever_topic_says_so() -> None:
    event = {"id": 1, "fulfillment_id": 123456, "order_id": 77, "status": "delivered", "happened_at": AT}
    parcel = {"id": 123456, "order_id": 77, "status": "success", "shipment_status": "delivered", "updated_at": AT}
    data = {"order_id": "77", "completed_at": AT}
    expected = [{"type": "delivery.completed.v1", "id": "123456", "time": AT, "data": data}]
    for topic, body in (("fulfillment_events/create", event), ("fulfillments/update", parcel)):
        found = events(judged("shopify", body, {"X-Shopify-Topic": topic}))
        assert [{key: one[key] for key in ("type", "id", "time", "data")} for one in found] == expected
        assert not judged("shopify", body, {"X-Shopify-Topic": topic}).ignored


def test_an_estimate_is_a_promise() -> None:
    body = {
        "id": 8, "fulfillment_id": 5, "order_id": 77, "status": "in_transit", "happened_at": AT,
        "estimated_delivery_at": "2022-01-03T12:00:00-05:00",
    }  # fmt: skip
    [found] = events(judged("shopify", body, {"X-Shopify-Topic": "fulfillment_events/create"}))
    assert found["type"] == "delivery.promised.v1"
    assert found["data"] == {"order_id": "77", "promised_at": "2022-01-03T12:00:00-05:00"}


def test_an_estimate_that_is_moved_is_another_promise_and_the_first_one_stays() -> None:
    first = {"id": 8, "fulfillment_id": 5, "order_id": 77, "status": "in_transit", "happened_at": AT}
    moved = {**first, "id": 9, "happened_at": "2022-01-02T19:00:00-05:00"}
    bodies = ({**first, "estimated_delivery_at": AT}, {**moved, "estimated_delivery_at": "2022-01-07T12:00:00Z"})
    made = [events(judged("shopify", body, {"X-Shopify-Topic": "fulfillment_events/create"})) for body in bodies]
    assert [(one["id"], one["revision"]) for [one] in made] == [("5:8", 1), ("5:9", 1)]


def test_a_parcel_that_is_changed_later_was_delivered_when_it_was() -> None:
    """Whatever comes first: of two revisions of a fact the greater one counts."""
    parcel = {"id": 5, "order_id": 77, "status": "success", "shipment_status": "delivered"}
    event = {"id": 9, "fulfillment_id": 5, "order_id": 77, "status": "delivered", "happened_at": AT}
    bodies = [event, *({**parcel, "updated_at": f"2022-01-0{day}T09:00:00.5+01:00"} for day in (1, 4))]
    made = [events(judged("shopify", body, {"X-Shopify-Topic": "fulfillments/update"})) for body in bodies]
    assert {one["id"] for [one] in made} == {"5"}
    revisions = [one["revision"] for [one] in made]
    assert revisions == sorted(revisions, reverse=True)
    assert len(set(revisions)) == len(revisions)


def test_who_has_no_name_can_still_be_reached() -> None:
    headers, body = sample("shopify", "customers_update")
    [found] = events(judged("shopify", {**body, "first_name": None, "last_name": "", "phone": "+48500100200"}, headers))
    assert found["data"] == {
        "customer": "706405506930370000", "email": "bob@biller.com", "phone": "+48500100200",
    }  # fmt: skip
    headers, order = sample("shopify", "orders_create")
    nameless = {**order["customer"], "first_name": None, "last_name": None}
    assert "name" not in events(judged("shopify", {**order, "customer": nameless}, headers))[-1]["data"]


def test_a_refund_is_what_was_paid_back() -> None:
    headers, body = sample("shopify", "refunds_create")
    paid = {"kind": "refund", "status": "success", "currency": "PLN"}
    transactions = [
        {**paid, "amount": "10.10"},
        {**paid, "amount": "0.2"},
        {**paid, "status": "failure", "amount": "9"},
    ]
    [found] = events(judged("shopify", {**body, "transactions": transactions}, headers))
    assert found["type"] == "refund.issued.v1"
    assert found["data"] == {
        "refund_id": "890088186047892400", "order_id": ORDER, "amount": {"amount": 1_030, "currency": "PLN"},
    }  # fmt: skip


def test_the_new_names_of_the_headers_are_read_too() -> None:
    headers, body = sample("shopify", "orders_create")
    renamed = {name.lower().removeprefix("x-"): value for name, value in headers.items()}
    old, new = judged("shopify", body, headers), judged("shopify", body, renamed)
    assert events(new) == events(old)
    assert new.delivery == old.delivery


def test_who_is_to_be_forgotten_is_asked_for_and_a_shop_that_leaves_is_counted() -> None:
    body = {"shop_id": 954889, "shop_domain": "x.myshopify.com", "customer": {"id": 191167, "email": "j@example.com"}}
    [found] = events(judged("shopify", body, {"X-Shopify-Topic": "customers/redact"}))
    assert (found["type"], found["data"]) == ("customer.erase_requested.v1", {"customer": "191167"})
    for topic, reason in (("customers/data_request", "export_is_asked_for"), ("shop/redact", "shop_is_leaving")):
        assert judged("shopify", body, {"X-Shopify-Topic": topic}).ignored == {reason: 1}
