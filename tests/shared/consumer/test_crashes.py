"""A process that ends anywhere: the next one counts every fact once, and says a word about each at least once."""

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
