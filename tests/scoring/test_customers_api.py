"""Every fact of a customer, for whoever answers that person's question."""

from typing import Any

from shared.access import create_key
from tests.builders import activity, answer
from tests.scoring.asked import Api

PATH = "/v1/customers/anna/facts"
FACTS = [
    activity("customer.updated.v1", "cu", customer="anna", name="Anna"),
    activity("order.placed.v1", "op", order_id="o-anna", customer="anna"),
    answer("of-anna", 3, customer="anna", text="Zimno"),
    answer("of-anna", 4, 1, customer="anna", text="Chłodno"),
    answer("about-her-order", 5, order_id="o-anna"),
]


async def test_every_fact_in_pages(api: Api) -> None:
    await api.log.append(FACTS)
    while await api.service.run_once():
        pass
    admin = (await create_key(api.config, "admin", ["admin"])).key
    whole = (await api.get(PATH, key=admin)).json()
    assert (whole["customer"], whole["total"], whole["next_cursor"]) == ("anna", 5, None)
    told = {(one["type"], one["revision"], one["current"], one["data"].get("text")) for one in whole["items"]}
    assert told == {
        ("customer.updated.v1", 0, True, None),
        ("order.placed.v1", 0, True, None),
        ("feedback.received.v1", 0, False, "Zimno"),
        ("feedback.received.v1", 1, True, "Chłodno"),
        ("feedback.received.v1", 0, True, None),
    }
    paged: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await api.get(PATH, query, key=admin)).json()
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert paged == whole["items"]
    refused = await api.get(PATH, {"cursor": "x"}, key=admin)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_cursor")
    assert (await api.get(PATH)).status_code == 403  # metrics:read reads numbers, not persons


async def test_what_happened_to_their_orders_and_in_their_contacts_is_theirs(api: Api) -> None:
    """It names nobody; who asks what is known of them is told of it all the same."""
    theirs = [
        activity("order.placed.v1", "op-maria", order_id="o-maria", customer="maria"),
        activity("delivery.promised.v1", "dp-of-maria", order_id="o-maria", promised_date="2026-11-18"),
        activity("return.requested.v1", "rr-of-maria", return_id="r-1", order_id="o-maria"),
        activity(
            "refund.issued.v1",
            "ri-of-maria",
            refund_id="x-1",
            order_id="o-maria",
            amount={"amount": 1, "currency": "PLN"},
        ),
        activity("contact.opened.v1", "co-of-maria", contact_id="k-1", customer="maria"),
        activity("contact.replied.v1", "cr-of-maria", contact_id="k-1", by="agent", public=True),
        activity("contact.opened.v1", "co-2-of-maria", contact_id="k-2", order_id="o-maria"),
        activity("contact.resolved.v1", "cs-of-maria", contact_id="k-2"),
    ]
    other = activity("return.requested.v1", "other-of-maria", return_id="r-2", order_id="o-piotr")
    await api.log.append([*theirs, other])
    while await api.service.run_once():
        pass
    admin = (await create_key(api.config, "admin", ["admin"])).key
    whole = (await api.get("/v1/customers/maria/facts", key=admin)).json()
    assert whole["total"] == len(theirs)
    assert "r-2" not in str(whole)
