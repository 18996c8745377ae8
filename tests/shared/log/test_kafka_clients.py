"""A client that can be thrown away: never waited for longer than promised, never used again after it failed."""

import asyncio

import pytest

from shared.log import kafka_clients
from shared.log.port import LogUnavailable
from tests.shared.log.fake_kafka import FakeClient, disposable


class Hanging(FakeClient):
    """Starts, or not, and never stops: as aiokafka's producer with idempotence on a dead broker."""

    def __init__(self, starts: bool = True) -> None:
        super().__init__()
        self._starts = starts

    async def start(self) -> None:
        if not self._starts:
            await asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        await asyncio.get_running_loop().create_future()


async def test_one_client_serves_all_who_ask() -> None:
    made: list[FakeClient] = []
    client = disposable(made, FakeClient)
    assert len(set(await asyncio.gather(*(client.get() for _ in range(5))))) == 1
    await client.close()
    assert [each.stopped for each in made] == [True]


async def test_a_client_that_never_stops_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_clients, "_STOP_SECONDS", 0.05)
    client = disposable([], Hanging)
    broken = await client.get()
    async with asyncio.timeout(5):
        client.discard(broken)
        assert await client.get() is not broken
        await client.close()


async def test_a_client_that_never_starts_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_clients, "REQUEST_MS", -400)  # a tenth of a second is left
    monkeypatch.setattr(kafka_clients, "_STOP_SECONDS", 0.05)
    made: list[FakeClient] = []
    client = disposable(made, lambda: Hanging(starts=False))
    async with asyncio.timeout(5):
        with pytest.raises(LogUnavailable, match=r"no Kafka at 127\.0\.0\.1:9 \(Connection refused\)"):
            await client.get()
        await client.close()


async def test_a_question_without_an_answer_costs_the_client() -> None:
    made: list[FakeClient] = []
    client = disposable(made, FakeClient)

    await client.get()
    with pytest.raises(LogUnavailable, match=r"Kafka has not answered within 0\.01 seconds"):
        await client.ask(unanswered, 0.01)
    await client.get()
    assert len(made) == 2
    await client.close()


async def unanswered(_: FakeClient) -> None:
    await asyncio.get_running_loop().create_future()


async def test_a_client_whose_start_took_the_time_is_asked_once_more() -> None:
    """Else nothing would ever be answered over a line on which the start alone takes most of it."""
    made: list[FakeClient] = []
    client = disposable(made, FakeClient)
    for clients_so_far in (1, 1, 2):
        with pytest.raises(LogUnavailable):
            await client.ask(unanswered, 0.01)
        assert len(made) == clients_so_far
    await client.close()


async def test_who_is_late_to_find_a_client_broken_does_not_hit_its_successor() -> None:
    made: list[FakeClient] = []
    client = disposable(made, FakeClient)
    broken = await client.get()
    client.discard(broken)
    successor = await client.get()
    client.discard(broken)
    assert await client.get() is successor
    await client.close()


async def test_closing_ends_a_start_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_clients, "_STOP_SECONDS", 0.05)
    client = disposable([], lambda: Hanging(starts=False))
    starting = asyncio.create_task(client.get())
    await asyncio.sleep(0)
    starting.cancel()
    async with asyncio.timeout(5):
        await client.close()
