"""A sender's API cannot hold the puller, whatever it does."""

import asyncio

import httpx
import pytest

from services.ingest.pulling import remote as module
from services.ingest.pulling.port import PullFailed
from services.ingest.pulling.remote import Remote
from services.ingest.pulling.senders import Senders
from tests.ingest.pulling.conftest import World
from tests.ingest.running import HeldClock


async def asked(handler: httpx.MockTransport | httpx.AsyncBaseTransport) -> str:
    remote = Remote("The sender", "http://sender", HeldClock(), handler)
    try:
        with pytest.raises(PullFailed) as failed:
            await remote.get("/x", {"Authorization": "Bearer secret"})
    finally:
        await remote.close()
    assert "secret" not in str(failed.value)
    return str(failed.value)


async def test_an_answer_that_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.01)
    assert "did not answer within" in await asked(Silent())


async def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    assert "more than 1,000 bytes" in await asked(
        httpx.MockTransport(lambda _: httpx.Response(200, content=b"[" * 2000))
    )


@pytest.mark.parametrize("content", [b"", b"<p>", b"[" * 100_000, b"\xff\xfe", b'{"a": NaN}'])
async def test_an_answer_that_is_no_json(content: bytes) -> None:
    assert "not JSON" in await asked(httpx.MockTransport(lambda _: httpx.Response(200, content=content)))


async def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(301, headers={"Location": "http://169.254.169.254/"})

    assert "answered 301" in await asked(httpx.MockTransport(handler))
    assert seen == ["http://sender/x"]


ALLEGRO = {
    "PETLA_SOURCE_ALLEGRO_CLIENT_ID": "a",
    "PETLA_SOURCE_ALLEGRO_CLIENT_SECRET": "b",
    "PETLA_SOURCE_ALLEGRO_REFRESH_TOKEN": "c",
}
BIGCOMMERCE = {"PETLA_SOURCE_BIGCOMMERCE_STORE": "abcde", "PETLA_SOURCE_BIGCOMMERCE_TOKEN": "t"}


@pytest.mark.parametrize(
    ("environment", "names"),
    [({}, []), (ALLEGRO, ["allegro"]), ({**ALLEGRO, **BIGCOMMERCE}, ["allegro", "bigcommerce"])],
)
async def test_who_is_asked_stands_in_the_environment(
    world: World, environment: dict[str, str], names: list[str]
) -> None:
    senders = Senders(environment, await world.config(), world.log, "petla.raw", world.sealing, world.clock)
    assert [poller.name for poller in senders.pollers] == names
    await senders.close()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({**ALLEGRO, "PETLA_SOURCE_ALLEGRO_CLIENT_SECRET": " "}, "ALLEGRO_CLIENT_SECRET: missing"),
        ({"PETLA_SOURCE_BIGCOMMERCE_TOKEN": "t"}, "BIGCOMMERCE_STORE: missing"),
        ({**BIGCOMMERCE, "PETLA_SOURCE_BIGCOMMERCE_STORE": "../x"}, "no store's hash"),
        ({**ALLEGRO, "PETLA_SOURCE_ALLEGRO_API": "allegro.pl"}, "ALLEGRO_API is no address"),
    ],
)
async def test_what_is_missing_is_named(world: World, environment: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Senders(environment, await world.config(), world.log, "petla.raw", world.sealing, world.clock)
