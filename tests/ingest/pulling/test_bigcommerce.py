"""A webhook that names an order and nothing more: answered at once, and the order fetched behind it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.pulling.bigcommerce import BigCommerce, wanted_by
from services.ingest.pulling.puller import Puller
from services.ingest.pulling.remote import Remote
from services.ingest.webhooks.judging import judge
from services.ingest.webhooks.records import received_of, record
from services.ingest.webhooks.registry import Sources
from services.ingest.webhooks.request import Request
from shared.events.catalogue import ACCEPTED_TYPES
from shared.log.port import NewRecord
from tests.ingest.pulling.conftest import INTERVAL, World, until_quiet
from tests.ingest.pulling.servers import BigCommerceApi

PAYLOADS = Path(__file__).parents[4] / "shared" / "payloads" / "bigcommerce"
STORE = "/stores/abcde"
ORDER = {
    "id": 250,
    "customer_id": 32,
    "date_created": "Fri, 20 Nov 2026 08:00:00 +0000",
    "date_modified": "Fri, 20 Nov 2026 09:00:00 +0000",
    "status_id": 11,
    "total_inc_tax": "133.4900",
    "currency_code": "PLN",
    "order_source": "www",
    "billing_address": {"first_name": "Anna", "last_name": "Kowal", "email": "a@example.com", "phone": "+48500100200"},
}


def thin(scope: str = "store/order/created", **data: Any) -> dict[str, Any]:
    data = {"type": "order", "id": 250, **data}
    return {"scope": scope, "store_id": "1", "data": data, "hash": f"{scope}{data}", "created_at": 1_763_622_000}


class Fetching:
    def __init__(self, world: World, api: BigCommerceApi, sources: Sources) -> None:
        self._world = world
        self._sources = sources
        self.remote = Remote("BigCommerce", api.url, world.clock)
        self.poller = BigCommerce(self.remote, "abcde", "bc-token", world.log, "petla.raw", world.clock)

    async def came(self, body: dict[str, Any], name: str = "bigcommerce", replays: str | None = None) -> None:
        """As `POST /webhooks/bigcommerce` keeps it."""
        source = self._sources.get(name, self._world.clock.now())
        assert source is not None
        request = Request("POST", "http://petla/webhooks/x", {}, json.dumps(body).encode())
        arrival = self._world.clock.now()
        judgement = judge(source.document, request, arrival)
        kept = record(received_of(source, request, judgement, 202, replays), arrival)
        await self._world.log.append([NewRecord(f"petla.{kept.topic}", kept.key, kept.value)])


@pytest.fixture
async def fetching(world: World, store: BigCommerceApi) -> AsyncIterator[Fetching]:
    sources = Sources(await world.config(), world.sealing, ACCEPTED_TYPES, {}, lambda _: False)
    made = Fetching(world, store, sources)
    yield made
    await made.poller.close()
    await made.remote.close()


@pytest.fixture
async def puller(world: World, fetching: Fetching) -> Puller:
    return await world.puller(fetching.poller, await world.config())


async def test_an_order_is_fetched_and_mapped(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    store.things[f"{STORE}/v2/orders/250"] = ORDER
    await fetching.came(thin())
    assert world.made("order.placed.v1") == []
    assert await puller.run_once() == 1
    assert world.made("order.placed.v1") == [
        (
            "250",
            "2026-11-20T08:00:00+00:00",
            {"order_id": "250", "customer": "32", "total": {"amount": 13349, "currency": "PLN"}, "channel": "www"},
        )
    ]
    (customer,) = world.made("customer.updated.v1")
    assert customer[2] == {
        "customer": "32",
        "name": "Anna Kowal",
        "email": "a@example.com",
        "phone": "+48500100200",
    }
    assert sorted((one.method, one.outcome, one.reason) for one in world.deliveries()) == [
        ("GET", "accepted", None),
        ("POST", "ignored", "fetched_later"),
    ]
    world.clock.advance(INTERVAL)
    assert await puller.run_once() == 0, "what it wrote itself is not fetched again"
    assert store.paths() == [f"{STORE}/v2/orders/250"]


async def test_a_guest_is_known_for_this_order(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    address = {"first_name": "", "last_name": "Kowal", "email": "", "phone": "+48500100200"}
    store.things[f"{STORE}/v2/orders/250"] = {**ORDER, "customer_id": 0, "billing_address": address}
    await fetching.came(thin())
    assert await puller.run_once() == 1
    assert [data["customer"] for _, _, data in world.made("order.placed.v1")] == ["guest-250"]
    assert [data for _, _, data in world.made("customer.updated.v1")] == [
        {"customer": "guest-250", "name": "Kowal", "phone": "+48500100200"}
    ]


async def test_a_cancelled_order_and_its_refunds(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    store.things[f"{STORE}/v2/orders/250"] = {**ORDER, "status_id": 5}
    store.things[f"{STORE}/v3/orders/250/payment_actions/refunds"] = {
        "data": [{"id": 3, "order_id": 250, "created": "2026-11-20T10:00:00Z", "total_amount": 20.5}]
    }
    await fetching.came(thin("store/order/refund/created", refund={"refund_id": 3}))
    assert await puller.run_once() == 1
    assert [data for _, _, data in world.made("order.cancelled.v1")] == [{"order_id": "250"}]
    assert [data for _, _, data in world.made("refund.issued.v1")] == [
        {"refund_id": "3", "order_id": "250", "amount": {"amount": 2050, "currency": "PLN"}}
    ]


async def test_a_customer_is_fetched(world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller) -> None:
    person = {"id": 32, "first_name": "Jan", "last_name": "Nowak", "email": "j@example.com", "phone": ""}
    store.things[f"{STORE}/v3/customers?id:in=32"] = {"data": [{**person, "date_modified": "2026-11-20T10:00:00Z"}]}
    await fetching.came(thin("store/customer/created", type="customer", id=32))
    assert await puller.run_once() == 1
    ((_, _, data),) = world.made("customer.updated.v1")
    assert data == {"customer": "32", "name": "Jan Nowak", "email": "j@example.com"}


async def test_the_limit_is_waited_out_and_nothing_is_lost(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    for number in (1, 2, 3):
        store.things[f"{STORE}/v2/orders/{number}"] = {**ORDER, "id": number}
        await fetching.came(thin(id=number))
    store.interludes = [
        (200, {}, {**ORDER, "id": 1}),
        (429, {"X-Rate-Limit-Time-Reset-Ms": "7500"}, {}),
        (429, {"X-Rate-Limit-Time-Reset-Ms": "7500"}, {}),
    ]
    assert await puller.run_once() == 1
    assert await puller.run_once() == 0
    world.clock.advance(7.0)
    assert await puller.run_once() == 0
    world.clock.advance(0.5)
    assert await puller.run_once() == 2
    assert len(world.made("order.placed.v1")) == 3


async def test_an_order_that_is_gone_or_forbidden_does_not_hold_up_others(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    store.things[f"{STORE}/v2/orders/2"] = {**ORDER, "id": 2}
    for number in (1, 2, 3):
        await fetching.came(thin(id=number))
    store.interludes = [(403, {}, {})]
    assert await puller.run_once() == 3
    assert len(world.made("order.placed.v1")) <= 1
    reasons = [one.reason for one in world.deliveries() if one.method == "GET"]
    assert "token_may_not_see_it" in reasons


async def test_a_token_that_is_not_taken_stops_with_a_sentence(
    store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    store.token = "another"
    await fetching.came(thin())
    assert await puller.run_once() == 0
    assert puller.problem == "BigCommerce does not take the token (401)"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scope": 5, "data": {"id": 1}},
        {"scope": "store/order/created", "data": {"id": "../../v3/customers"}},
        {"scope": "store/order/created", "data": {"id": True}},
        {"scope": "store/order/created", "data": {}},
        {"scope": "store/shipment/created", "data": {"id": 12}},
        {"scope": "store/customer/created", "data": {"id": "1,2"}},
        {"scope": "store/product/updated", "data": {"id": 1}},
    ],
)
def test_what_names_nothing_of_ours_is_not_fetched(body: dict[str, Any]) -> None:
    assert wanted_by(body) == ()


async def test_other_sources_replays_and_other_stores_addresses_are_not_asked(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    await fetching.came(thin(), name="generic")
    await fetching.came(thin(), replays="an earlier delivery")
    await fetching.came({**thin(), "producer": "stores/evil"})
    await puller.run_once()
    assert store.paths() == [f"{STORE}/v2/orders/250"]


@pytest.mark.parametrize("payload", sorted(PAYLOADS.glob("*.json")) or [None], ids=lambda path: path and path.stem)
def test_every_sample_names_what_to_fetch(payload: Path | None) -> None:
    if payload is None:
        pytest.skip("../shared/payloads/bigcommerce is not here")
    body = json.loads(payload.read_text())["body"]
    names = [wanted.name for wanted in wanted_by(body)]
    expected = {
        "store_customer_created": ["customer"],
        "store_shipment_created": ["order", "shipment"],
        "store_order_refund_created": ["order", "refunds"],
    }
    assert names == expected.get(payload.stem, ["order"])


async def test_an_order_that_never_comes_is_passed_over_and_counted(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    store.things |= {f"{STORE}/v2/orders/{number}": {**ORDER, "id": number} for number in range(1, 7)}
    store.refused = {f"{STORE}/v2/orders/{number}": 500 for number in range(1, 6)}
    for number in range(1, 7):
        await fetching.came(thin(id=number))
    await until_quiet(world, puller, minutes=120)
    assert [id_ for id_, _, _ in world.made("order.placed.v1")] == ["6"], "each once, and what answers at once"
    told = [one for one in world.deliveries() if one.reason == "passed_over"]
    assert [one.outcome for one in told] == ["rejected"] * 5
    assert sorted(str(one.message)[:21] for one in told) == [f"store/order/created {number}" for number in range(1, 6)]
    asked = len(store.asked)
    world.clock.advance(INTERVAL)
    assert await puller.run_once() == 0
    assert (len(store.asked), puller.problem) == (asked, None), "the position is behind them"


async def test_a_sender_that_is_away_for_long_loses_nothing(
    world: World, store: BigCommerceApi, fetching: Fetching, puller: Puller
) -> None:
    store.things |= {f"{STORE}/v2/orders/{number}": {**ORDER, "id": number} for number in range(1, 9)}
    await fetching.came(thin(id=1))
    assert await puller.run_once() == 1
    for number in range(2, 9):
        await fetching.came(thin(id=number))
    store.refused = dict.fromkeys(store.things, 503)
    await until_quiet(world, puller, minutes=120)
    store.refused = {f"{STORE}/v2/orders/2": 500}  # the last that comes back, after a minute
    await until_quiet(world, puller, minutes=20)
    store.refused = {}
    await until_quiet(world, puller, minutes=16)
    assert len(world.made("order.placed.v1")) == 8
    assert "passed_over" not in {one.reason for one in world.deliveries()}


async def test_what_is_gone_is_counted(world: World, fetching: Fetching, puller: Puller) -> None:
    await fetching.came(thin())
    assert await puller.run_once() == 1
    assert [one.reason for one in world.deliveries() if one.method == "GET"] == ["not_there"]
