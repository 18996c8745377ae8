"""A process that ends anywhere: the next one counts every fact once, and says a word about each at least once.

The same of a process that meets an error anywhere, and goes on.
"""

from collections.abc import Awaitable, Callable

from tests.builders import session
from tests.shared.consumer.ledger import Failpoints, Killed, Ledger

NAMES = [f"s{number}" for number in range(8)]


async def test_a_kill_at_any_step_loses_and_repeats_nothing(ledger: Ledger) -> None:
    at = 0
    killed = True
    while killed:
        at += 1
        await start_again(ledger)
        killed = await killed_at(ledger, at)
        await ledger.expire_leases()
        successor = ledger.process()
        await successor.run()
        await successor.run()

        told = ledger.told()
        assert await ledger.counted() == NAMES, f"killed at step {at}"
        assert set(told) == set(NAMES), f"killed at step {at}: {told}"
        assert await ledger.adds_up(), f"killed at step {at}"
        assert await owed(ledger) == 0, f"killed at step {at}"
    assert at > 25


async def start_again(ledger: Ledger) -> None:
    await ledger.empty()
    ledger.log.recreate("petla.activity")
    ledger.log.recreate("petla.told")


async def killed_at(ledger: Ledger, step: int) -> bool:
    """A worker on two batches, some records of the second ones known from the first."""
    process = ledger.process(Failpoints(step))
    ledger.processes.clear()
    batches = [NAMES[:5], NAMES[3:]]
    try:
        while batches:
            await ledger.log.append([session(name) for name in batches.pop(0)])
            await process.run()
        await process.later()
    except Killed:
        for batch in batches:
            await ledger.log.append([session(name) for name in batch])
        return True
    return False


async def owed(ledger: Ledger) -> int:
    ((count,),) = await ledger.rows("SELECT count(*) FROM consumer_offset WHERE published < next_offset")
    return int(count)


async def test_an_error_at_any_step_is_passed_once_and_loses_and_repeats_nothing(ledger: Ledger) -> None:
    """The connection breaks, before or after what it was asked for was done: a claim, a batch, an append."""
    at, met = 0, True
    while met:
        at += 1
        await start_again(ledger)
        met = await met_an_error_at(ledger, at)

        assert await ledger.counted() == NAMES, f"an error at step {at}"
        assert set(ledger.told()) == set(NAMES), f"an error at step {at}"
        assert await ledger.adds_up(), f"an error at step {at}"
        assert (await ledger.progress()).outcomes == {"new": 8, "duplicate": 2}, f"an error at step {at}"
        assert await owed(ledger) == 0, f"an error at step {at}"
        await ledger.processes.pop().worker.stop()
    assert at > 25


async def met_an_error_at(ledger: Ledger, step: int) -> bool:
    process = ledger.process(Failpoints(step, ConnectionResetError("reset by peer")))
    errors = 0

    async def tried_again(pass_: Callable[[], Awaitable[int]]) -> None:
        nonlocal errors
        try:
            await pass_()
        except ConnectionResetError:
            errors += 1
            await pass_()

    for batch in (NAMES[:5], NAMES[3:]):
        await ledger.log.append([session(name) for name in batch])
        await tried_again(process.run)
    for _ in range(3):
        await tried_again(process.later)
    return errors == 1
