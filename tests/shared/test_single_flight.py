"""Many who ask at once cost one look."""

import asyncio

import pytest

from shared.single_flight import SingleFlight


class Looks:
    def __init__(self) -> None:
        self.begun = 0
        self.answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> int:
        self.begun += 1
        return await self.answer


async def asked(flight: SingleFlight[int], times: int) -> "list[asyncio.Task[int]]":
    tasks = [asyncio.create_task(flight()) for _ in range(times)]
    await asyncio.sleep(0)
    return tasks


async def test_whoever_asks_meanwhile_gets_the_same_answer() -> None:
    looks = Looks()
    tasks = await asked(SingleFlight(looks), 100)
    looks.answer.set_result(7)
    assert await asyncio.gather(*tasks) == [7] * 100
    assert looks.begun == 1


async def test_whoever_asks_later_gets_a_new_look() -> None:
    looks = Looks()
    flight = SingleFlight(looks)
    looks.answer.set_result(7)
    assert [await flight(), await flight()] == [7, 7]
    assert looks.begun == 2


async def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    looks = Looks()
    first, second = await asked(SingleFlight(looks), 2)
    first.cancel()
    await asyncio.sleep(0)
    looks.answer.set_result(7)
    assert await second == 7


async def test_what_a_look_raises_is_raised_to_all_and_not_kept() -> None:
    looks = Looks()
    flight = SingleFlight(looks)
    tasks = await asked(flight, 2)
    looks.answer.set_exception(OSError("away"))
    assert [type(one) for one in await asyncio.gather(*tasks, return_exceptions=True)] == [OSError, OSError]
    looks.answer = asyncio.get_running_loop().create_future()
    looks.answer.set_result(8)
    assert await flight() == 8


@pytest.mark.parametrize("times", [1, 3])
async def test_it_may_be_asked_again_and_again(times: int) -> None:
    looks = Looks()
    flight = SingleFlight(looks)
    looks.answer.set_result(1)
    for _ in range(times):
        await flight()
    assert looks.begun == times
