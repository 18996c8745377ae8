"""Workers share partitions evenly, and a partition is never read by two of them for longer than the fence allows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.builders import session
from tests.shared.consumer.faults import server_says
from tests.shared.consumer.ledger import Ledger, Process


async def rounds(*processes: Process, times: int = 3) -> None:
    for _ in range(times):
        for process in processes:
            await process.later()


async def test_two_share_when_one_joins_and_one_takes_all_when_it_leaves(ledger: Ledger) -> None:
    first, second = ledger.process(), ledger.process()
    await first.run()
    assert await ledger.shares() == [4]

    await rounds(second, first)
    assert await ledger.shares() == [2, 2]

    await second.worker.stop()
    await first.later()
    assert await ledger.shares() == [4]


async def test_what_does_not_divide_evenly_leaves_nobody_without(ledger: Ledger) -> None:
    workers = [ledger.process() for _ in range(3)]
    await rounds(*workers)
    assert await ledger.shares() == [1, 1, 2]


async def test_more_workers_than_partitions(ledger: Ledger) -> None:
    workers = [ledger.process() for _ in range(6)]
    await rounds(*workers)
    assert await ledger.shares() == [1, 1, 1, 1]


async def test_the_partitions_of_a_silent_worker_are_taken_over(ledger: Ledger) -> None:
    silent, other = ledger.process(), ledger.process()
    await silent.run()
    ((owner,),) = await ledger.rows("SELECT DISTINCT owner FROM consumer_offset")
    await rounds(silent, other)
    await ledger.execute("UPDATE consumer_offset SET lease_until = now() - interval '1 s' WHERE owner = :o", o=owner)
    await ledger.execute("DELETE FROM worker WHERE id = :o", o=owner)
    await other.later()
    assert await ledger.shares() == [4]

    # It wakes, and is one of two again.
    await rounds(silent, other)
    assert await ledger.shares() == [2, 2]


async def test_who_leaves_forgets_those_who_were_killed_long_ago(ledger: Ledger) -> None:
    await ledger.execute("INSERT INTO worker VALUES ('long', now() - interval '2 minutes'), ('just', now())")
    process = ledger.process()
    await process.run()
    await process.worker.stop()
    assert await ledger.rows("SELECT id FROM worker") == [("just",)]


async def test_claims_at_the_same_moment_do_not_meet(ledger: Ledger) -> None:
    workers = [ledger.process() for _ in range(4)]
    await asyncio.gather(*(process.worker.run_once() for process in workers))
    await rounds(*workers)
    assert await ledger.shares() == [1, 1, 1, 1]


async def test_sharing_goes_on_while_records_come(ledger: Ledger) -> None:
    workers: list[Process] = []
    names = []
    for joining in range(3):
        workers.append(ledger.process())
        for number in range(10):
            names.append(f"s{joining}-{number}")
            await ledger.log.append([session(names[-1])])
        await rounds(*workers, times=2)
    while workers:
        await workers.pop().worker.stop()
        names.append(f"left-{len(workers)}")
        await ledger.log.append([session(names[-1])])
        await rounds(*workers, times=2)
    last = ledger.process()
    await last.run()

    assert await ledger.counted() == sorted(names)
    assert (await ledger.progress()).outcomes == {"new": len(names)}


async def test_a_partition_that_is_not_held_any_more_is_not_read(ledger: Ledger) -> None:
    """Also when the log was away just when the loss was noticed."""
    process = ledger.process()
    await process.run()
    await ledger.execute("UPDATE consumer_offset SET epoch = epoch + 1, owner = 'another'")
    await ledger.log.append([session(f"s{number}") for number in range(60)])
    ledger.log.unavailable = "away"
    process.clock.seconds += 1
    for _ in range(2):
        try:
            await process.worker.run_once()
        except Exception:
            ledger.log.unavailable = None
    await process.later()

    assert process.worker.problem is None
    assert process.counting.calls == []
    assert await ledger.letters() == []


class Slow:
    """In place of `done`: takes three seconds, in which `rival` takes whatever nobody holds any more."""

    def __init__(self, ledger: Ledger, process: Process, rival: Process, done: Callable[..., Awaitable[Any]]) -> None:
        self._ledger, self._process, self._rival, self._done = ledger, process, rival, done

    async def __call__(self, *arguments: Any) -> Any:
        await self._ledger.seconds_pass(3)
        self._process.clock.seconds += 3
        await self._rival.later()
        return await self._done(*arguments)


async def test_who_is_slow_to_look_at_the_log_keeps_its_claims(ledger: Ledger) -> None:
    """Or two workers on a busy machine take each other's partitions for ever, and neither reads anything."""
    await ledger.log.append([session(f"s{number}") for number in range(8)])
    before = ledger.process()
    await before.run()
    await before.worker.stop()
    await ledger.log.append([session(f"t{number}") for number in range(8)])
    process, rival = ledger.process(), ledger.process()
    reader = process.log.made_reader
    reader.record_at = Slow(ledger, process, rival, reader.record_at)
    reader.read = Slow(ledger, process, rival, reader.read)
    assert await process.worker.run_once() == 8
    assert rival.counting.calls == []


async def test_who_isolates_a_record_keeps_the_partitions_of_the_others(ledger: Ledger) -> None:
    process, rival = ledger.process(), ledger.process()
    await process.run()
    await ledger.log.append([session(f"s{number}") for number in range(8)])
    process.log.append = Slow(ledger, process, rival, process.log.append)
    process.counting.broken = {"s0": server_says("22000")}
    assert await process.worker.run_once() == 8
    assert rival.counting.calls == []
    assert len(await ledger.letters()) == 1
