"""The simulated shop is a well-behaved client: it waits when asked to, and says what it cannot make sense of."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from services.demo import agents
from services.demo.client import Client, DemoError
from services.demo.watching import Watch
from tests.demo.clocks import HeldClock

ACCEPTED = {"accepted": 1, "rejected": 0, "items": [{"index": 0, "status": "accepted", "durability": "local"}]}
REFUSED = {"index": 0, "status": "rejected", "field": "data.score", "message": "11 is above scale_max 10"}


class World:
    """Answers one a request, the last one again and again."""

    def __init__(self, *answers: httpx.Response | httpx.TransportError) -> None:
        self.clock = HeldClock()
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), base_url="http://petla")
        self.client = Client(http, "petla_k_secret", self.clock.sleep)
        self.watch = Watch(self.client, self.clock, self.clock.sleep)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body if body is not None else {}, headers=headers)


async def test_it_shows_its_key_and_learns_how_durable() -> None:
    world = World(answer(202, ACCEPTED))
    assert await world.client.send([{"id": "1"}]) == "local"
    (request,) = world.requests
    assert request.headers["authorization"] == "Bearer petla_k_secret"
    assert request.headers["content-type"] == "application/cloudevents-batch+json"


@pytest.mark.parametrize("status", [429, 503])
async def test_it_waits_as_long_as_it_is_asked_to(status: int) -> None:
    world = World(answer(status, **{"Retry-After": "3"}), answer(202, ACCEPTED))
    await world.client.send([{"id": "1"}])
    assert world.clock.seconds == 3


async def test_it_does_not_wait_for_ever() -> None:
    world = World(answer(503, {"detail": "the log is away"}))
    with pytest.raises(DemoError, match="503: the log is away"):
        await world.client.get("/v1/reconciliation")
    assert 60 <= world.clock.seconds < 62


async def test_a_refused_event_ends_the_demo_with_the_reason() -> None:
    world = World(answer(207, {"accepted": 0, "rejected": 1, "items": [REFUSED]}))
    with pytest.raises(DemoError, match=r"data\.score: 11 is above scale_max 10"):
        await world.client.send([{"id": "1"}])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (httpx.ConnectError("no"), "got no answer"),
        (httpx.Response(500, text="<html>"), "answered 500"),
        (httpx.Response(401, json={"detail": "this API key is not known"}), "not known"),
    ],
)
async def test_whatever_else_goes_wrong_is_one_sentence(
    given: httpx.Response | httpx.TransportError, reason: str
) -> None:
    with pytest.raises(DemoError, match=reason):
        await World(given).client.get("/v1/metrics/nps")


async def test_a_follow_up_that_somebody_else_took_is_left_to_them() -> None:
    listed = [{"id": f"f{n}", "version": 1, "customer": f"k{n}", "order_id": None, "text": None} for n in range(30)]
    world = World(answer(200, {"items": listed}), answer(409, {"detail": "stale", "current": {}}))
    progress: list[tuple[int, int]] = []
    await agents.work(world.client, 1, lambda done, of: progress.append((done, of)))
    assert progress[-1] == (30, 30)
    tried = [request.url.path for request in world.requests[1:]]
    assert len(tried) == len(set(tried)), "nobody tries twice"


def reconciliation(offset: int, *, settled: bool) -> httpx.Response:
    return answer(200, {"settled": settled, "as_of": {"offsets": {"petla.feedback": {"0": offset}}}})


async def test_watching_ends_when_all_is_settled() -> None:
    world = World(reconciliation(1, settled=False), reconciliation(2, settled=False), reconciliation(3, settled=True))
    seen: Sequence[Any] = []
    found = await world.watch.settled(lambda document: seen.append(document["settled"]))  # type: ignore[attr-defined]
    assert found["settled"]
    assert seen == [False, False, True]


async def test_watching_is_patient_while_something_moves() -> None:
    moving = [reconciliation(n, settled=False) for n in range(600)]
    world = World(*moving, reconciliation(600, settled=True))
    await world.watch.settled()
    assert world.clock.seconds > 100


async def test_watching_gives_up_when_nothing_moves_for_a_minute() -> None:
    world = World(reconciliation(1, settled=False))
    with pytest.raises(DemoError, match="/readyz"):
        await world.watch.settled()
    assert 60 <= world.clock.seconds < 62
