"""What is refused before it costs anything: too large, too slow, too much at once, too often."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from starlette.types import Message

from services.ingest import body
from services.ingest.limits import BytesAtOnce, RateLimit
from tests.ingest.running import HeldClock, RunningIngest, answer, assert_problem

KIB = 1024


def of_size(size: int) -> bytes:
    """An event of exactly so many bytes."""
    document = msgspec.json.encode(answer(extra=""))
    return document.replace(b'"extra":""', b'"extra":"' + b"x" * (size - len(document)) + b'"')


async def chunks(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@pytest.mark.parametrize("media", ["application/json", "application/cloudevents+json"])
async def test_an_event_of_256_kib_is_taken_and_no_larger(ingest: RunningIngest, media: str) -> None:
    assert (await ingest.send(of_size(256 * KIB), media)).status_code == 202
    assert_problem(await ingest.send(of_size(256 * KIB + 1), media), 413, "too_large")
    assert len(ingest.events()) == 1


async def test_an_event_in_pieces(ingest: RunningIngest) -> None:
    assert (await ingest.send(chunks(of_size(200 * KIB), 1000))).status_code == 202


async def test_a_batch_of_5_mib_and_no_larger(ingest: RunningIngest) -> None:
    events = b",".join([of_size(250 * KIB)] * 20)
    padding = b" " * (5 * KIB * KIB - len(events) - 2)
    assert (await ingest.send(b"[" + events + padding + b"]")).status_code == 202
    assert_problem(await ingest.send(b"[" + events + padding + b" ]"), 413, "too_large")


async def test_a_body_without_a_length_is_read_no_further_than_the_limit(ingest: RunningIngest) -> None:
    produced = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal produced
        while True:
            produced += 64 * KIB
            yield b"x" * 64 * KIB

    response = await ingest.send(endless())
    assert_problem(response, 413, "too_large")
    assert response.headers["connection"] == "close"
    assert produced <= 5 * KIB * KIB + 64 * KIB


class Request:
    """A request by hand, for what no proper client sends."""

    def __init__(self, ingest: RunningIngest, headers: dict[str, str], *messages: Message) -> None:
        self._ingest = ingest
        self._messages = list(messages)
        self.sent: list[Message] = []
        sent = {"authorization": f"Bearer {ingest.key}", "content-type": "application/json", **headers}
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": "/v1/events",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }

    async def _receive(self) -> Message:
        if not self._messages:
            await asyncio.Event().wait()  # the client says nothing more
        return self._messages.pop(0)

    async def _send(self, message: Message) -> None:
        self.sent.append(dict(message))

    async def run(self) -> int | None:
        """The status, None when nothing was answered."""
        await self._ingest.service.app(self._scope, self._receive, self._send)
        return self.sent[0]["status"] if self.sent else None


def piece(content: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


async def test_a_declared_length_over_the_limit_is_refused_unread(ingest: RunningIngest) -> None:
    assert await Request(ingest, {"content-length": "5242881"}).run() == 413
    assert await Request(ingest, {"content-length": "9" * 5000}).run() == 413


async def test_the_rest_of_a_body_is_let_pass_when_it_is_short(ingest: RunningIngest) -> None:
    """A sender that is still sending when the connection closes may never see the answer."""
    for length, closes in ((5 * KIB * KIB + 1, False), (8 * KIB * KIB, False), (8 * KIB * KIB + 1, True)):
        request = Request(ingest, {"content-length": str(length)})
        assert await request.run() == 413
        assert ((b"connection", b"close") in request.sent[0]["headers"]) is closes


async def test_a_declared_length_may_be_a_lie(ingest: RunningIngest) -> None:
    pieces = [piece(b"x" * KIB * KIB, more=True) for _ in range(6)]
    assert await Request(ingest, {"content-length": "10"}, *pieces).run() == 413


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(ingest: RunningIngest) -> None:
    whole = msgspec.json.encode(answer())
    request = Request(ingest, {}, piece(whole, more=True), {"type": "http.disconnect"})
    assert await request.run() is None
    assert ingest.events() == []


async def test_a_body_that_does_not_come_is_408(ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "READ_SECONDS", 0.01)
    request = Request(ingest, {}, piece(b"{", more=True))
    assert await request.run() == 408
    assert (b"connection", b"close") in request.sent[0]["headers"]


async def test_slow_clients_stop_nobody_else(ingest: RunningIngest) -> None:
    slow = [asyncio.create_task(Request(ingest, {}, piece(b"{", more=True)).run()) for _ in range(200)]
    await asyncio.sleep(0)
    assert (await ingest.send(answer())).status_code == 202
    for task in slow:
        task.cancel()
    assert {type(done) for done in await asyncio.gather(*slow, return_exceptions=True)} == {asyncio.CancelledError}


async def test_bodies_held_at_once_are_bounded_and_given_back(ingest: RunningIngest) -> None:
    ingest.service.app._at_once = BytesAtOnce(100 * KIB)  # type: ignore[attr-defined]
    holding = asyncio.create_task(Request(ingest, {}, piece(b"x" * 99 * KIB, more=True)).run())
    await asyncio.sleep(0)
    response = await ingest.send(of_size(2 * KIB))
    assert_problem(response, 503, "overloaded")
    assert response.headers["retry-after"] == "1"
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    for _ in range(3):
        assert (await ingest.send(of_size(90 * KIB))).status_code == 202
    for wrong in (of_size(90 * KIB)[:-1], b"\xff" * 90 * KIB):
        assert (await ingest.send(wrong)).status_code == 400
    assert (await ingest.send(of_size(90 * KIB))).status_code == 202


async def test_more_events_a_second_than_allowed_are_429_for_that_source_only(limited: RunningIngest) -> None:
    other = await limited.new_key("other", "events:write")
    for number in range(10):
        assert (await limited.send(answer(number))).status_code == 202
    response = await limited.send(answer(10))
    assert_problem(response, 429, "too_many_events")
    assert response.headers["retry-after"] == "1"
    assert (await limited.send(answer(10), key=other)).status_code == 202
    limited.clock.advance(0.1)
    assert (await limited.send(answer(10))).status_code == 202
    assert (await limited.send(answer(11))).status_code == 429
    assert len(limited.events()) == 12


async def test_a_batch_passes_whole_or_not_at_all(limited: RunningIngest) -> None:
    assert (await limited.send([answer(number) for number in range(6)])).status_code == 202
    assert (await limited.send([answer(number) for number in range(6)])).status_code == 429
    assert len(limited.events()) == 6


async def test_a_batch_over_one_second_s_allowance_passes_and_is_paid_off(limited: RunningIngest) -> None:
    assert (await limited.send([answer(number) for number in range(35)])).status_code == 202
    response = await limited.send(answer())
    assert response.headers["retry-after"] == "3"  # 25 owed and 1 wanted, at 10 a second
    limited.clock.advance(2.5)
    assert (await limited.send(answer())).status_code == 429
    limited.clock.advance(0.1)
    assert (await limited.send(answer())).status_code == 202


def test_no_limit_is_no_limit() -> None:
    rate = RateLimit(0, HeldClock())
    assert [rate.seconds_to_wait("shop", 10**9) for _ in range(3)] == [0, 0, 0]


def test_an_idle_source_saves_no_more_than_a_second() -> None:
    clock = HeldClock()
    rate = RateLimit(10, clock)
    assert rate.seconds_to_wait("shop", 1) == 0
    clock.advance(3600)
    assert rate.seconds_to_wait("shop", 10) == 0
    assert rate.seconds_to_wait("shop", 1) == pytest.approx(0.1)
