"""Deliveries of one turn go to the log together, and each has its own fate."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.webhooks import taking as module
from services.ingest.webhooks.judging import Delivered, Judgement, judge_all
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.taking import Taken, Taking
from shared.log.port import Durability, LogUnavailable, NewRecord
from tests.ingest.webhooks.doors import BODY, Doors


class Watched:
    """`taking` writes to the log of `doors`; `appended` has how many records each append had."""

    def __init__(self, doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
        self.doors = doors
        self.appended: list[int] = []
        self._append = doors.log.append
        monkeypatch.setattr(doors.log, "append", self._watched)
        counters = Counters(CollectorRegistry())
        self.taking = Taking(Keeping(doors.log, doors.settings.topic, doors.clock, counters), doors.clock)

    async def _watched(self, records: Sequence[NewRecord]) -> Durability:
        self.appended.append(len(records))
        return await self._append(records)

    def take(self, body: Any) -> "asyncio.Future[Taken]":
        source = self.doors.sources().get("repairs", self.doors.clock.now())
        assert source is not None
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.taking.take(source, Request("POST", "http://localhost/webhooks/repairs", {}, content), None)


@pytest.fixture
def watched(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(doors, monkeypatch)


def repair(number: int) -> dict[str, Any]:
    return {**BODY, "repair": {"number": number}}


async def test_what_comes_together_is_kept_with_one_append(watched: Watched) -> None:
    waiting = [watched.take(repair(number)) for number in range(1, 6)]
    taken = await asyncio.gather(*waiting)
    assert watched.appended == [5 * 3]
    assert {one.response.status_code for one in taken} == {202}
    assert sorted(event.id for event in watched.doors.events()) == [f"{n}-q{q}" for n in range(1, 6) for q in (1, 2)]
    assert len(watched.doors.deliveries()) == 5
    assert [one.judgement.made[0].emitted.name for one in taken] == [f"{n}-q1" for n in range(1, 6)]


async def test_so_many_together_that_others_get_their_turn(watched: Watched) -> None:
    await asyncio.gather(*[watched.take(repair(number)) for number in range(1, 71)])
    assert watched.appended == [32 * 3, 32 * 3, 6 * 3]


async def test_a_large_body_holds_nobody_up(watched: Watched) -> None:
    large, small = watched.take({**repair(1), "more": "x" * 33_000}), watched.take(repair(2))
    await asyncio.gather(large, small)
    assert watched.appended == [3, 3]


async def test_each_is_answered_for_itself(watched: Watched) -> None:
    good, unreadable, note = watched.take(repair(1)), watched.take(b"{"), watched.take({**BODY, "internal": True})
    taken = await asyncio.gather(good, unreadable, note)
    assert [one.response.status_code for one in taken] == [202, 400, 202]
    assert [one.judgement.outcome for one in taken] == ["accepted", "rejected", "ignored"]
    assert sorted(one.outcome for one in watched.doors.deliveries()) == ["accepted", "ignored", "rejected"]


async def test_what_breaks_one_does_not_break_the_others(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(deliveries: Sequence[Delivered]) -> list[Judgement]:
        if any(b'"number": 2' in one.request.body for one in deliveries):
            raise AssertionError("a mistake of ours")
        return judge_all(deliveries)

    monkeypatch.setattr(module, "judge_all", broken)
    found = await asyncio.gather(*[watched.take(repair(number)) for number in (1, 2, 3)], return_exceptions=True)
    assert [type(one) for one in found] == [Taken, AssertionError, Taken]
    assert sorted(event.id for event in watched.doors.events()) == ["1-q1", "1-q2", "3-q1", "3-q2"]


async def test_while_the_log_is_away_all_are_told_so_at_once(watched: Watched) -> None:
    watched.doors.log.unavailable = "away"
    found = await asyncio.gather(*[watched.take(repair(number)) for number in (1, 2, 3)], return_exceptions=True)
    assert [type(one) for one in found] == [LogUnavailable] * 3
    assert watched.appended == [9]


async def test_who_has_gone_is_not_waited_for(watched: Watched) -> None:
    gone, there = watched.take(repair(1)), watched.take(repair(2))
    gone.cancel()
    assert (await there).response.status_code == 202
    assert len(watched.doors.deliveries()) == 2
