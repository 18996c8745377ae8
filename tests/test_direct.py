"""Both ways of answering say the same: what is answered inside the protocol and what goes through uvicorn's ASGI."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope
from uvicorn.server import ServerState

from services import direct
from services.direct import Answers, Direct, Hot, Whole, protocol
from services.dispatch import Alone
from tests.conversations import BOLD, CONVERSATIONS, LAST, ONE, halves, post
from tests.ingest.running import RunningIngest
from tests.ingest.webhooks.doors import SECRET, Doors
from tests.turns import until


class Counted:
    """A door that counts what it was given whole."""

    def __init__(self, door: Hot) -> None:
        self.door = door
        self.whole = 0

    def answering(self, url: bytes) -> Answers | None:
        answers = self.door.answering(url)
        if answers is None:
            return None

        async def counted(scope: Scope, body: Receive | bytes) -> Whole | None:
            self.whole += isinstance(body, bytes)
            return await answers(scope, body)

        return counted


class Wire:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_extra_info(self, name: str) -> Any:
        return ("127.0.0.1", 50_000) if name in ("peername", "sockname") else None


class World:
    """One ingest, and connections to it of both kinds."""

    def __init__(self, ingest: RunningIngest) -> None:
        self.ingest = ingest
        self.hot = Counted(cast(Hot, ingest.service.app))
        self.state = ServerState()

    def connect(self, hot: Hot | None) -> tuple[Any, Wire]:
        make = protocol(hot)
        app = Alone(self.ingest.service)
        config = uvicorn.Config(app, http=cast(Any, make), lifespan="off", log_config=None, access_log=False)
        config.load()
        made, wire = make(config=config, server_state=self.state, app_state={}), Wire()
        made.connection_made(cast(Any, wire))
        return made, wire

    async def converse(self, hot: Hot | None, segments: Sequence[bytes]) -> bytes:
        """What comes back until the connection is closed; a last request closes it."""
        made, wire = self.connect(hot)
        for segment in (*segments, LAST):
            if wire.closed:
                break
            made.data_received(segment.replace(b"KEY", self.ingest.key.encode()))
            for _ in range(50):  # turns of the loop: enough for an answer, where there is one
                await asyncio.sleep(0)
        await until(lambda: wire.closed)
        made.connection_lost(None)
        return re.sub(rb"\r\ndate: [^\r]*", b"", wire.sent)


@pytest.fixture
async def world(ingest: RunningIngest) -> World:
    return World(ingest)


@pytest.fixture
async def ingest() -> AsyncIterator[RunningIngest]:
    running = Doors({"PETLA_SOURCE_REPAIRS_SECRET": SECRET, "PETLA_SOURCE_BOLD_SECRET": SECRET})
    await running.start()
    await running.add("repairs")
    await running.add("bold", BOLD)
    yield running
    await running.stop()


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_the_same_requests_get_the_same_bytes(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "_REST_SECONDS", 3600.0)  # which way a request takes must not depend on the machine
    segments, whole = CONVERSATIONS[name]
    long_way = await world.converse(None, segments)
    assert await world.converse(world.hot, segments) == long_way
    assert world.hot.whole == whole
    assert long_way.startswith(b"HTTP/1.1 ")


async def test_a_log_that_is_away_is_told_the_same_way(world: World) -> None:
    world.ingest.log.unavailable = "away"
    long_way = await world.converse(None, [post(ONE)])
    assert await world.converse(world.hot, [post(ONE)]) == long_way
    assert b"503 Service Unavailable" in long_way
    assert b"retry-after: 5" in long_way
    assert world.hot.whole == 1


async def test_an_answer_is_written_with_one_call_and_its_date(world: World) -> None:
    world.state.default_headers = [(b"date", b"today")]
    made, wire = world.connect(world.hot)
    made.data_received(post(ONE).replace(b"KEY", world.ingest.key.encode()))
    await until(lambda: wire.sent)
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 202 Accepted",
        b"date: today",
        b"content-type: application/json",
        b"content-length: %d" % len(body),
    ]
    assert world.state.total_requests == 1


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = 0

    def answering(self, url: bytes) -> Answers | None:
        return self.answer

    async def answer(self, scope: Scope, body: Receive | bytes) -> Whole | None:
        self.asked += 1
        await self.gate.wait()
        return cast(Whole, PLAIN)


class _Plain:
    status_code = 202
    raw_headers = ((b"content-length", b"2"),)
    body = b"ok"


PLAIN = _Plain()
Connected = tuple[Direct, Wire, Slow]


@pytest.fixture
async def waiting(world: World) -> Connected:
    """A request that is being answered."""
    slow = Slow()
    made, wire = world.connect(slow)
    made.data_received(post(ONE))
    await until(lambda: slow.asked)
    return made, wire, slow


async def test_the_end_of_the_server_waits_for_the_answer_and_closes(waiting: Connected) -> None:
    made, wire, slow = waiting
    made.shutdown()
    assert (wire.closed, len(made.tasks)) == (False, 1)
    slow.gate.set()
    await until(lambda: wire.closed)
    assert wire.sent == b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
    assert not made.tasks


async def test_an_answer_may_close_the_connection(waiting: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    _, wire, slow = waiting
    monkeypatch.setattr(PLAIN, "raw_headers", ((b"connection", b"close"), *PLAIN.raw_headers))
    slow.gate.set()
    await until(lambda: wire.closed)
    assert wire.sent == b"HTTP/1.1 202 Accepted\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"


async def test_who_has_gone_gets_no_answer_and_leaves_nothing(waiting: Connected) -> None:
    made, wire, slow = waiting
    made.connection_lost(None)
    slow.gate.set()
    await until(lambda: not made.tasks)
    assert wire.sent == b""


async def test_who_waits_too_long_at_the_end_of_the_server_is_cut_off(waiting: Connected) -> None:
    made, wire, _ = waiting
    for task in made.tasks:
        task.cancel("as uvicorn does")
    await until(lambda: wire.closed)
    assert (wire.sent, made.tasks) == (b"", set())


async def test_an_answer_may_let_others_go_first_and_one_that_fails_closes(
    waiting: Connected, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, wire, slow = waiting
    failures: list[dict[str, Any]] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_exception_handler", failures.append)

    async def failing(scope: Scope, body: Receive | bytes) -> Whole | None:
        await asyncio.sleep(0)
        raise RuntimeError("a defect")

    monkeypatch.setattr(slow, "answer", failing)
    other, its_wire = world.connect(slow)
    other.data_received(post(ONE))
    await until(lambda: its_wire.closed)
    assert [str(one["exception"]) for one in failures] == ["a defect"]
    assert (len(other.tasks), wire.closed) == (1, False)  # the one that still waits


async def test_a_body_that_stays_away_goes_the_long_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "_REST_SECONDS", 0.0)
    made, wire = world.connect(world.hot)
    first, second = halves(post(ONE).replace(b"KEY", world.ingest.key.encode()))
    made.data_received(first)
    await until(lambda: made.tasks)
    assert (made._parts, bytes(made.cycle.body)) == (None, ONE[:16])
    made.data_received(second)
    await until(lambda: wire.sent)
    assert wire.sent.startswith(b"HTTP/1.1 202")
    assert world.hot.whole == 0


async def test_the_end_of_the_server_waits_for_the_rest_of_a_body(world: World) -> None:
    made, wire = world.connect(world.hot)
    first, second = halves(post(ONE).replace(b"KEY", world.ingest.key.encode()))
    made.data_received(first)
    made.shutdown()
    made.data_received(second)
    await until(lambda: wire.closed)
    assert wire.sent.startswith(b"HTTP/1.1 202")


async def test_who_goes_in_the_middle_of_a_body_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "_REST_SECONDS", 0.0)
    loop, failures = asyncio.get_running_loop(), list[dict[str, Any]]()
    monkeypatch.setattr(loop, "call_exception_handler", failures.append)
    made, _ = world.connect(world.hot)
    made.data_received(halves(post(ONE))[0])
    made.connection_lost(None)
    later = asyncio.Event()
    loop.call_later(0.0, later.set)  # behind the timer of the rest, were it still there
    await later.wait()
    assert (len(made.tasks), failures) == (0, [])


async def test_who_does_not_read_what_was_answered_goes_the_long_way(world: World) -> None:
    made, _ = world.connect(world.hot)
    made.pause_writing()
    made.data_received(post(ONE))
    assert (made._parts, world.hot.whole) == (None, 0)
    assert made.cycle.body == ONE
    made.connection_lost(None)
    made.resume_writing()
    await until(lambda: not made.tasks)


class Timers:
    """An event loop whose time a test holds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = 100.0
        self.due: list[tuple[float, Any]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, what: Any) -> asyncio.TimerHandle:
        self.due.append((self.now + seconds, what))
        return asyncio.TimerHandle(self.now + seconds, what, (), self._loop)

    def pass_to(self, now: float) -> None:
        self.now = now
        (due, what), self.due = self.due[0], self.due[1:]
        assert due == now
        what()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


async def test_a_connection_that_rests_too_long_is_closed(waiting: Connected) -> None:
    made, wire, slow = waiting
    made.loop = timers = cast(Any, Timers(made.loop))
    slow.gate.set()
    await until(lambda: wire.sent)
    timers.now = 103.0
    made.data_received(post(ONE))
    await until(lambda: slow.asked == 2 and wire.sent.count(b"ok") == 2)
    timers.pass_to(105.0)  # five seconds after the first answer, two after the second
    assert not wire.closed
    timers.pass_to(108.0)
    assert wire.closed


async def test_a_connection_does_not_rest_while_something_arrives(waiting: Connected) -> None:
    made, wire, slow = waiting
    made.loop = timers = cast(Any, Timers(made.loop))
    slow.gate.set()
    await until(lambda: wire.sent)
    made.data_received(post(ONE)[:20])
    timers.pass_to(105.0)
    assert (wire.closed, timers.due) == (False, [])
