"""What a person may ask of alerts: everything it knows, and to be erased; both for admins only."""

import json
from typing import Any

import pytest

from shared.erasure.receipts import is_genuine
from tests.alerts.running import RunningAlerts
from tests.alerts.test_erasure import ANSWERS, CUSTOMER, EMAIL, NAME, PHONE, STORY
from tests.alerts.world import activity

ADMIN = "admin"
PATH = f"/v1/customers/{CUSTOMER}"


async def test_everything_is_told_in_pages(alerts: RunningAlerts) -> None:
    await alerts.told(*STORY)
    await alerts.told(*ANSWERS)
    whole = (await alerts.get(f"{PATH}/history", ADMIN)).json()
    assert whole["contact"] == {"name": NAME, "phone": PHONE, "email": EMAIL, "language": None}
    assert sorted(item["kind"] for item in whole["items"]) == [*["activity"] * 3, *["answer"] * 3, *["followup"] * 2]
    assert whole["total"] == 8
    assert whole["next_cursor"] is None
    (followup,) = [one for one in whole["items"] if one["kind"] == "followup" and one["data"]["customer"]]
    assert [step["type"] for step in followup["history"]] == ["opened"]

    paged: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = (await alerts.get(f"{PATH}/history", ADMIN, limit=3, **cursor)).json()
        paged += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == whole["items"]


async def test_what_happened_to_their_orders_and_in_their_contacts_is_told(alerts: RunningAlerts) -> None:
    await alerts.told(
        activity("order.placed.v1", "op-of-anna", order_id="o-anna", customer="anna"),
        activity(
            "refund.issued.v1", "ri-of-anna", refund_id="x", order_id="o-anna", amount={"amount": 1, "currency": "PLN"}
        ),
        activity("contact.opened.v1", "co-of-anna", contact_id="k-anna", order_id="o-anna"),
        activity("contact.replied.v1", "cr-of-anna", contact_id="k-anna", by="agent", public=True),
        activity("call.ended.v1", "ca-of-anna", call_id="c-1", outcome="answered", wait_seconds=5, contact_id="k-anna"),
        activity(
            "refund.issued.v1", "other-of-anna", refund_id="y", order_id="o-x", amount={"amount": 1, "currency": "PLN"}
        ),
    )
    told = (await alerts.get("/v1/customers/anna/history", ADMIN)).json()["items"]
    assert sorted(item["type"] for item in told) == [
        "call.ended.v1",
        "contact.opened.v1",
        "contact.replied.v1",
        "order.placed.v1",
        "refund.issued.v1",
    ]


async def test_nobody_knows_a_stranger(alerts: RunningAlerts) -> None:
    found = (await alerts.get("/v1/customers/nobody/here/history", ADMIN)).json()
    assert (found["customer"], found["items"], found["total"]) == ("nobody/here", [], 0)


async def test_a_cursor_that_is_not_ours(alerts: RunningAlerts) -> None:
    refused = await alerts.get(f"{PATH}/history", ADMIN, cursor="x")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_cursor")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{PATH}/history"), ("POST", f"{PATH}/erase"), ("GET", f"{PATH}/erasure")],
)
async def test_for_admins_only(alerts: RunningAlerts, method: str, path: str) -> None:
    assert (await alerts.request(method, path, "followups:write")).status_code == 403
    assert (await alerts.request(method, path, None)).status_code == 401


async def test_an_erasure_is_asked_for_and_its_receipt_grows(alerts: RunningAlerts) -> None:
    await alerts.told(*STORY)
    assert (await alerts.get(f"{PATH}/erasure", ADMIN)).status_code == 404
    asked = await alerts.post(f"{PATH}/erase", scope=ADMIN)
    assert asked.status_code == 202
    receipt = asked.json()
    assert receipt["complete"] is False
    assert {one["state"] for one in receipt["stores"] if "database" in one["store"]} == {"pending"}
    assert EMAIL not in json.dumps(receipt)

    service: Any = alerts.service
    service.eraser._disks.rewrite_files = _nothing_left  # a database of tests is not worth writing anew
    await service.eraser.run_once()
    later = (await alerts.get(f"{PATH}/erasure", ADMIN)).json()
    states = {one["store"]: one["state"] for one in later["stores"]}
    assert states["alerts database"] == "erased"
    assert states["log followups"] == "rewritten"
    assert states["scoring database"] == "pending"
    assert later["complete"] is False


async def _nothing_left() -> list[str]:
    return []


async def test_a_receipt_is_signed(alerts: RunningAlerts) -> None:
    receipt = (await alerts.post(f"{PATH}/erase", scope=ADMIN)).json()
    key = receipt["signature"]["public_key"]
    assert is_genuine(receipt, key)
    assert not is_genuine({**receipt, "complete": True}, key)
    other = key.replace(key[0], "A" if key[0] != "A" else "B", 1)
    assert not is_genuine(receipt, other)
    assert not is_genuine({**receipt, "signature": {}}, key)
