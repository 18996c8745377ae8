"""A loop goes on for ever: what a pass raises is shown, and tried again after a pause that grows and is bounded."""

import asyncio
from collections.abc import Callable

import pytest
import structlog

from shared import loops
from shared.loops import Loop


class Passes:
    """Does as it is told, one instruction a pass; the last one repeats."""

    def __init__(self, *instructions: int | BaseException) -> None:
        self.done = 0
        self.after: Callable[[], None] = lambda: None
        self._instructions = list(instructions)

    async def __call__(self) -> int:
        self.done += 1
        self.after()
        told = self._instructions.pop(0) if len(self._instructions) > 1 else self._instructions[0]
        if isinstance(told, BaseException):
            raise told
        return told


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the loop under test has nothing to wait on
            await asyncio.sleep(0)


async def test_a_loop_repeats_at_once_while_there_is_work_and_then_waits_to_be_woken() -> None:
    passes = Passes(3, 2, 0)
    loop = Loop("test", passes, idle_seconds=3600)
    loop.start()
    await until(lambda: passes.done == 3)
    loop.wake()
    await until(lambda: passes.done == 4)
    await loop.stop()
    assert loop.problem is None


async def test_who_wakes_it_while_it_rests_gets_the_pass_behind_the_rest() -> None:
    passes = Passes(0)
    loop = Loop("test", passes, idle_seconds=3600, rest_seconds=0.05)
    loop.start()
    await until(lambda: passes.done == 1)
    begun = asyncio.get_running_loop().time()
    for _ in range(3):
        loop.wake()
        await asyncio.sleep(0)
    await until(lambda: passes.done == 2)
    assert asyncio.get_running_loop().time() - begun >= 0.04
    await loop.stop()
    assert passes.done == 2


async def test_a_rest_ends_with_the_loop() -> None:
    passes = Passes(0)
    loop = Loop("test", passes, idle_seconds=3600, rest_seconds=3600)
    loop.start()
    await until(lambda: passes.done == 1)
    await asyncio.wait_for(loop.stop(), 5)


async def test_a_problem_shows_until_a_pass_succeeds() -> None:
    passes = Passes(OSError("no socket at /private/path\nand more"), 0)
    loop = Loop("test", passes, idle_seconds=3600)
    with structlog.testing.capture_logs() as logged:
        loop.start()
        await until(lambda: loop.problem is not None)
    assert "log of the service says why" in str(loop.problem)
    assert "/private/path" not in str(loop.problem)  # anyone may read it
    assert [(entry["event"], entry["reason"]) for entry in logged] == [("loop_failed", "no socket at /private/path")]
    loop.wake()
    await until(lambda: loop.problem is None)
    await loop.stop()


async def test_what_an_error_quotes_is_not_logged() -> None:
    passes = Passes(ValueError("Anna Nowak is no number"), ValueError("Anna Nowak is no number"), 0)
    loop = Loop("test", passes, idle_seconds=3600)
    passes.after = loop.wake
    with structlog.testing.capture_logs() as logged:
        loop.start()
        await until(lambda: passes.done == 3)
        await loop.stop()
    assert "Anna" not in str(logged)
    assert [entry["error"] for entry in logged] == ["ValueError"] * 2
    assert ["frames" in entry for entry in logged] == [True, False]  # where it failed is said once


async def test_a_pass_that_does_not_end_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "STUCK_SECONDS", 0.0)
    ends = asyncio.Event()

    async def hang() -> int:
        await ends.wait()
        return 0

    loop = Loop("test", hang, idle_seconds=3600)
    loop.start()
    await until(lambda: loop.problem is not None)
    assert "has not ended" in str(loop.problem)
    ends.set()
    await until(lambda: loop.problem is None)
    await loop.stop()


async def test_a_loop_that_was_cut_off_is_a_problem() -> None:
    loop = Loop("test", Passes(asyncio.CancelledError()), idle_seconds=3600)
    loop.start()
    await until(lambda: loop.problem is not None)
    assert "restart" in str(loop.problem)


async def test_an_outage_of_hours_does_not_end_the_loop() -> None:
    passes = Passes(*[OSError("away")] * 1_200, 0)
    loop = Loop("test", passes, idle_seconds=3600)
    passes.after = loop.wake  # no pause is waited for
    with structlog.testing.capture_logs() as logged:
        loop.start()
        await until(lambda: passes.done > 1_200 and loop.problem is None)
        await loop.stop()
    pauses = [entry["retry_in"] for entry in logged]
    assert pauses[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert set(pauses[4:]) == {2.0}


async def test_stopping_lets_the_pass_under_way_finish() -> None:
    reached, released = asyncio.Event(), asyncio.Event()
    finished: list[bool] = []

    async def pass_() -> int:
        reached.set()
        await released.wait()
        finished.append(True)
        return 1

    loop = Loop("test", pass_, idle_seconds=0)
    loop.start()
    await reached.wait()
    stopping = asyncio.create_task(loop.stop())
    await asyncio.sleep(0)
    released.set()
    await stopping
    assert finished == [True]
