"""Allegro's order events and returns become events, once, whatever comes twice and whoever is away."""

from collections.abc import AsyncIterator

import pytest

from services.ingest.pulling import allegro as module
from services.ingest.pulling.allegro import TOKEN_PATH, Allegro
from services.ingest.pulling.puller import Puller
from services.ingest.pulling.remote import Remote
from services.ingest.pulling.tokens import KeptRefreshToken, RefreshedTokens
from shared.config import ConfigStore
from shared.log.port import LogUnavailable
from tests.ingest.pulling.conftest import INTERVAL, World, until_quiet
from tests.ingest.pulling.servers import AllegroApi


class Pulling:
    def __init__(self, world: World, api: AllegroApi, config: ConfigStore) -> None:
        self.config = config
        self._world = world
        self._api = api
        self._remotes: list[Remote] = []

    async def puller(self, given: str = "refresh-0", holder: str = "one") -> Puller:
        remote = Remote("Allegro", self._api.url, self._world.clock)
        self._remotes.append(remote)
        kept = KeptRefreshToken("allegro", given, self.config, self._world.sealing)
        tokens = RefreshedTokens(remote, TOKEN_PATH, ("client", "secret"), kept, self._world.clock)
        return await self._world.puller(Allegro(remote, tokens, self._world.clock), self.config, holder)

    async def close(self) -> None:
        for remote in self._remotes:
            await remote.close()


@pytest.fixture
async def pulling(world: World, allegro: AllegroApi) -> AsyncIterator[Pulling]:
    made = Pulling(world, allegro, await world.config())
    yield made
    await made.close()


async def test_an_order_that_is_ready_is_placed_with_its_form(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    allegro.order(1, "BOUGHT", form="f-1")
    allegro.ordered_form(allegro.order(2, form="f-1"))
    assert await (await pulling.puller()).run_once() == 2
    assert world.made("order.placed.v1") == [
        (
            "f-1",
            "2026-11-20T09:02:00+00:00",
            {
                "order_id": "f-1",
                "customer": "allegro-b-1",
                "total": {"amount": 13349, "currency": "PLN"},
                "channel": "allegro",
            },
        )
    ]
    (customer,) = world.made("customer.updated.v1")
    assert customer[2] == {
        "customer": "allegro-b-1",
        "name": "Anna Kowal",
        "email": "kupujacy+1@allegromail.pl",
        "phone": "+48500100200",
    }
    (promise,) = world.made("delivery.promised.v1")
    assert promise[2] == {"order_id": "f-1", "promised_at": "2026-11-24T22:59:59Z"}
    outcomes = [(one.outcome, one.reason) for one in world.deliveries()]
    assert sorted(outcomes, key=str) == [("accepted", None), ("ignored", "not_ready_yet")]


async def test_cancelled_orders_and_returns(world: World, allegro: AllegroApi, pulling: Pulling) -> None:
    allegro.order(3, "BUYER_CANCELLED", form="f-3")
    allegro.order(4, "AUTO_CANCELLED", form="f-4")
    allegro.returned("r-1", "f-9", "2026-11-19T08:00:00.000Z")
    assert await (await pulling.puller()).run_once() == 3
    assert [data for _, _, data in world.made("order.cancelled.v1")] == [{"order_id": "f-3"}, {"order_id": "f-4"}]
    assert world.made("return.requested.v1") == [
        ("r-1", "2026-11-19T08:00:00+00:00", {"return_id": "r-1", "order_id": "f-9"})
    ]


async def test_it_goes_on_behind_the_last_event_also_after_a_restart(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    first = await pulling.puller()
    allegro.order(1)
    assert await first.run_once() == 1
    assert await first.run_once() == 0, "it is not asked again before the interval has passed"
    world.clock.advance(INTERVAL)
    allegro.order(2)
    assert await first.run_once() == 1
    await first.leave()
    allegro.order(3)
    assert await (await pulling.puller(holder="two")).run_once() == 1
    assert len(world.made("order.placed.v1")) == 3


async def test_many_events_are_pulled_in_parts_without_a_pause(
    world: World, allegro: AllegroApi, pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVENTS_AT_ONCE", 2)
    for number in range(5):
        allegro.order(number)
    puller = await pulling.puller()
    assert [await puller.run_once() for _ in range(4)] == [2, 2, 1, 0]
    assert len(world.made("order.placed.v1")) == 5


async def test_one_fact_in_two_events_is_one_fact(world: World, allegro: AllegroApi, pulling: Pulling) -> None:
    twin = allegro.order(1, form="f-1")
    allegro.events.append({**twin, "id": "1763000000000099"})
    assert await (await pulling.puller()).run_once() == 2
    facts = {event.factid for event in world.events() if event.type == "order.placed.v1"}
    assert len(facts) == 1


async def test_returns_are_read_again_and_handed_out_where_they_changed(
    world: World, allegro: AllegroApi, pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETURNS_AT_ONCE", 2)
    for number in range(5):
        allegro.returned(f"r-{number}", "f-1", f"2026-11-{15 + number}T08:00:00.000Z")
    puller = await pulling.puller()
    assert await puller.run_once() == 5
    world.clock.advance(INTERVAL)
    assert await puller.run_once() == 0
    allegro.returns[4]["status"] = "DELIVERED"
    # Made before the newest known one, shown only now.
    allegro.returns.insert(0, {**allegro.returns[3], "id": "r-late"})
    world.clock.advance(INTERVAL)
    assert await puller.run_once() == 2
    assert len({id_ for id_, _, _ in world.made("return.requested.v1")}) == 6


async def test_pages_that_never_end_are_a_sentence(
    allegro: AllegroApi, pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = range(module.RETURNS_AT_ONCE)
    page = [allegro.returned(f"r-{number}", "o-1", "2026-11-20T08:00:00.000Z") for number in many]
    monkeypatch.setattr(allegro, "_returned", lambda _: (200, {}, {"customerReturns": page}))
    puller = await pulling.puller()
    assert await puller.run_once() == 0
    assert puller.problem is not None
    assert "do not end" in puller.problem


async def test_events_that_do_not_move_on_are_not_kept_again_and_again(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    puller = await pulling.puller()
    event = allegro.order(1)
    await puller.run_once()
    for count, is_problem in ((1, False), (module.EVENTS_AT_ONCE, True)):
        allegro.interludes = [(200, {}, {"events": [event] * count})]
        world.clock.advance(INTERVAL)
        assert await puller.run_once() == 0
        assert ("do not move on" in (puller.problem or "")) is is_problem


async def test_what_the_log_did_not_take_is_handed_out_again(
    world: World, allegro: AllegroApi, pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    allegro.order(1)
    allegro.returned("r-1", "f-1", "2026-11-19T08:00:00.000Z")
    puller = await pulling.puller()
    await pulling.config.put("warm", {})
    append = world.log.append

    async def broken(records: object) -> None:
        if any(record.topic != "petla.config" for record in records):  # type: ignore[attr-defined]
            raise LogUnavailable("away")
        await append(records)  # type: ignore[arg-type]

    monkeypatch.setattr(world.log, "append", broken)
    with pytest.raises(LogUnavailable):
        await puller.run_once()
    monkeypatch.setattr(world.log, "append", append)
    assert await puller.run_once() == 2
    assert len(world.made("order.placed.v1")) == len(world.made("return.requested.v1")) == 1


async def test_a_refresh_token_is_replaced_and_its_successor_kept_sealed(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    first = await pulling.puller()
    assert await first.run_once() == 0
    kept = pulling.config.get("token/allegro")
    assert kept is not None
    assert "refresh-1" not in str(kept)
    await first.leave()
    allegro.order(1)
    # A new process knows the old one from its environment only.
    assert await (await pulling.puller(holder="two")).run_once() == 1
    assert allegro.renewed == 2


async def test_a_new_token_in_the_environment_begins_a_new_chain(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    first = await pulling.puller()
    await first.run_once()
    await first.leave()
    allegro.refresh = "given-anew"
    allegro.order(1)
    assert await (await pulling.puller("given-anew", holder="two")).run_once() == 1


async def test_a_token_that_ends_is_renewed_within_the_pass(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    puller = await pulling.puller()
    await puller.run_once()
    allegro.renewed += 1  # as if somebody had ended the access token
    allegro.order(1)
    world.clock.advance(INTERVAL)
    assert await puller.run_once() == 1


async def test_a_refresh_token_that_is_no_longer_taken_is_a_sentence(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    puller = await pulling.puller("of-last-year")
    assert await puller.run_once() == 0
    assert puller.problem is not None
    assert "connect again" in puller.problem
    assert "of-last-year" not in puller.problem
    (told,) = world.deliveries()  # the page of sources shows it
    assert (told.outcome, told.reason, told.message) == ("rejected", "token_not_taken", puller.problem)


@pytest.mark.parametrize(
    ("interlude", "waits"),
    [
        ((429, {"Retry-After": "120"}, {}), 120.0),
        ((503, {"Retry-After": "Fri, 20 Nov 2026 12:01:30 GMT"}, {}), 30.0),
        ((500, {}, {}), 5.0),
        ((429, {"Retry-After": "999999"}, {}), 3600.0),
        ((429, {"Retry-After": "soon"}, {}), 5.0),
        ((200, {}, b"<html>"), 5.0),
        ((200, {}, {"events": 5}), 5.0),
        ((302, {"Location": "http://127.0.0.1:1/"}, {}), 5.0),
    ],
)
async def test_a_sender_that_cannot_answer_is_left_alone_for_a_while(
    world: World,
    allegro: AllegroApi,
    pulling: Pulling,
    interlude: tuple[int, dict[str, str], object],
    waits: float,
) -> None:
    puller = await pulling.puller()
    await puller.run_once()
    allegro.order(1)
    world.clock.advance(INTERVAL)
    allegro.interludes = [interlude]
    assert await puller.run_once() == 0
    assert puller.problem is not None
    assert world.deliveries()[-1].reason == "sender_away"
    asked = len(allegro.asked)
    world.clock.advance(waits - 0.5)
    assert await puller.run_once() == 0
    assert len(allegro.asked) == asked, "it was asked before its time"
    world.clock.advance(0.5)
    assert await puller.run_once() == 1
    assert puller.problem is None


async def test_a_sender_that_is_away_is_asked_less_and_less_often(world: World, pulling: Pulling) -> None:
    puller = await pulling.puller()
    pulling._remotes[0].base = "http://127.0.0.1:1"
    waited = []
    for _ in range(12):
        before = world.clock.monotonic()
        await puller.run_once()
        while world.clock.monotonic() < puller._due_at:
            world.clock.advance(puller._due_at - world.clock.monotonic())
        waited.append(world.clock.monotonic() - before)
    assert waited[:4] == [5.0, 10.0, 20.0, 40.0]
    assert waited[-1] == 900.0


@pytest.mark.parametrize("status", [403, 404])
async def test_a_form_that_is_not_given_is_told_and_the_order_stands_without_it(
    world: World, allegro: AllegroApi, pulling: Pulling, status: int
) -> None:
    first, second = allegro.order(1), allegro.order(2)
    allegro.ordered_form(second)
    allegro.refused = {f"/order/checkout-forms/{first['order']['checkoutForm']['id']}": status}
    assert await (await pulling.puller()).run_once() == 2
    assert ["total" in data for _, _, data in world.made("order.placed.v1")] == [False, True]
    (told,) = [one for one in world.deliveries() if one.outcome == "rejected"]
    assert told.reason == "passed_over"
    assert str(told.message).endswith(f"({status})") or str(told.message).endswith(f"answered {status}")


async def test_a_form_that_never_comes_holds_up_nothing_and_is_given_up(
    world: World, allegro: AllegroApi, pulling: Pulling
) -> None:
    first, second = allegro.order(1), allegro.order(2)
    allegro.ordered_form(second)
    allegro.refused = {f"/order/checkout-forms/{first['order']['checkoutForm']['id']}": 500}
    allegro.returned("r-1", "f-1", "2026-11-19T08:00:00.000Z")
    puller = await pulling.puller()
    assert await puller.run_once() == 2
    assert len(world.made("return.requested.v1")) == len(world.made("order.placed.v1")) == 1
    await until_quiet(world, puller, minutes=55)
    assert len(world.made("order.placed.v1")) == 2
    (told,) = [one for one in world.deliveries() if one.reason == "passed_over"]
    assert str(told.message).startswith(f"order {first['order']['checkoutForm']['id']}: Allegro answered 500: ")
    allegro.order(3, "BOUGHT")
    world.clock.advance(INTERVAL)
    assert await puller.run_once() == 1, "the position is behind it"


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_returns_that_are_not_given_do_not_hold_up_orders(
    world: World, allegro: AllegroApi, pulling: Pulling, status: int
) -> None:
    allegro.refused = {"/order/customer-returns": status}
    allegro.returned("r-1", "f-1", "2026-11-19T08:00:00.000Z")
    puller = await pulling.puller()
    for number in (1, 2):
        allegro.order(number)
        await until_quiet(world, puller, minutes=3)
        assert len(world.made("order.placed.v1")) == number
    assert "sender_away" in {one.reason for one in world.deliveries()}
    allegro.refused = {}
    await until_quiet(world, puller, minutes=5)
    assert len(world.made("return.requested.v1")) == 1


async def test_returns_whose_keeping_failed_are_not_taken_for_kept_by_a_pass_without_returns(
    world: World, allegro: AllegroApi, pulling: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    allegro.returned("r-1", "f-1", "2026-11-19T08:00:00.000Z")
    puller = await pulling.puller()
    await pulling.config.put("warm", {})
    with monkeypatch.context() as broken:
        broken.setattr(puller._keeping, "keep", _unavailable)
        with pytest.raises(LogUnavailable):
            await puller.run_once()
    allegro.order(1)
    allegro.refused = {"/order/customer-returns": 500}
    assert await puller.run_once() == 1
    allegro.refused = {}
    await until_quiet(world, puller, minutes=2)
    assert len(world.made("return.requested.v1")) == 1


async def _unavailable(*_: object) -> None:
    raise LogUnavailable("away")
