"""Waits end in time, one by one, and a cancellation from elsewhere is never swallowed."""

import asyncio

import pytest

from shared.patience import Patience

LONG = 3600.0


async def wait(patience: Patience, seconds: float) -> None:
    with patience.at_most(seconds):
        await asyncio.Event().wait()


async def test_a_wait_ends_in_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        await wait(Patience(), 0.001)


async def test_what_is_ready_is_not_disturbed() -> None:
    patience = Patience()
    with patience.at_most(0.001):
        pass
    with pytest.raises(TimeoutError):  # by now the timer of the first has gone off, too
        await wait(patience, 0.02)


async def test_each_wait_has_its_own_end() -> None:
    patience = Patience()
    first, second = asyncio.create_task(wait(patience, 0.001)), asyncio.create_task(wait(patience, LONG))
    await asyncio.wait({first})
    assert isinstance(first.exception(), TimeoutError)
    assert not second.done()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_a_cancellation_from_elsewhere_goes_on() -> None:
    patience = Patience()
    waiting = asyncio.create_task(wait(patience, 0.001))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_who_was_cancelled_and_late_at_once_is_cancelled() -> None:
    async def stubborn() -> None:
        with patience.at_most(0.001):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                assert task
                task.cancel()  # somebody else does, a moment after the timer
                raise

    patience = Patience()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(stubborn())


async def test_what_fails_by_itself_says_so() -> None:
    with pytest.raises(ValueError, match="broken"), Patience().at_most(LONG):
        raise ValueError("broken")
