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
