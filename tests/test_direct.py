"""Both ways of answering say the same: what is answered inside the protocol and what goes through uvicorn's ASGI."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
import uvicorn
from starlette.types import Receive, Scope
from uvicorn.server import ServerState

from services.direct import Answers, Direct, Hot, Whole, protocol
from services.dispatch import Alone
from tests.conversations import BOLD, CONVERSATIONS, LAST, ONE, post
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
async def test_the_same_requests_get_the_same_bytes(world: World, name: str) -> None:
    segments, direct = CONVERSATIONS[name]
    long_way = await world.converse(None, segments)
    assert await world.converse(world.hot, segments) == long_way
    assert world.hot.whole == direct
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


async def test_who_has_gone_gets_no_answer_and_leaves_no_task(waiting: Connected) -> None:
    made, wire, slow = waiting
    made.connection_lost(None)
    slow.gate.set()
    task = cast("asyncio.Task[None]", made._task)
    await until(task.done)
    assert (wire.sent, task.exception()) == (b"", None)


async def test_a_connection_that_rests_leaves_no_task_when_it_ends(waiting: Connected) -> None:
    made, wire, slow = waiting
    slow.gate.set()
    await until(lambda: wire.sent)
    made.connection_lost(None)
    await until(cast("asyncio.Task[None]", made._task).done)


async def test_who_does_not_read_what_was_answered_goes_the_long_way(world: World) -> None:
    made, _ = world.connect(world.hot)
    made.pause_writing()
    made.data_received(post(ONE))
    assert (made._parts, world.hot.whole) == (None, 0)
    assert made.cycle.body == ONE
    made.connection_lost(None)
    made.resume_writing()
    await until(lambda: not made.tasks)


async def test_a_connection_that_rests_too_long_is_closed(waiting: Connected) -> None:
    made, wire, slow = waiting
    assert made.timeout_keep_alive_task is None
    slow.gate.set()
    await until(lambda: wire.sent)
    assert made.timeout_keep_alive_task is not None
    made.timeout_keep_alive_handler()
    assert wire.closed
    made.connection_lost(None)
