"""Where a worker reads: the database's position, held against the log; nothing is skipped, what was lost is counted."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.consumer.positions import Found
from shared.log.memory import MemoryLog
from shared.log.port import Bounds, LogUnavailable, NewRecord, Partition
from tests.builders import session
from tests.shared.consumer.ledger import TOLD, TOPIC, TOPICS, Failpoints, Killed, Ledger

NAMES = [f"s{number}" for number in range(12)]


def sessions(*names: str) -> list[NewRecord]:
    return [session(name) for name in names]


async def test_a_reader_that_stands_ahead_of_the_database_skips_nothing(ledger: Ledger) -> None:
    """A lost seek: the fence compares the database with the worker's memory, and would pass."""
    process = ledger.process()
    await process.run()
    await ledger.log.append(sessions(*NAMES))
    bounds = await ledger.log.bounds(TOPIC)
    ahead = {Partition(TOPIC, number): max(end - 1, 0) for number, (_, end) in bounds.items()}
    await process.log.made_reader.assign(ahead)
    await process.run()
    assert await ledger.counted() == sorted(NAMES)


async def test_a_reader_that_stands_behind_does_not_repeat(ledger: Ledger) -> None:
    process = ledger.process()
    await ledger.log.append(sessions(*NAMES))
    await process.run()
    await process.log.made_reader.assign({Partition(TOPIC, number): 0 for number in range(4)})
    await process.run()
    assert (await ledger.progress()).outcomes == {"new": 12}


async def test_an_offset_row_deleted_by_hand_is_read_from_the_start_and_absorbed(ledger: Ledger) -> None:
    process = ledger.process()
    await ledger.log.append(sessions(*NAMES))
    await process.run()
    await ledger.execute("DELETE FROM consumer_offset")
    await ledger.log.append(sessions("another"))
    await process.later()
    await process.run()

    assert await ledger.counted() == sorted([*NAMES, "another"])
    done = await ledger.progress()
    assert done.outcomes == {"new": 13, "duplicate": 12}
    assert done.read == 25
    assert sum(done.offsets.values()) == 13


class NamelessLog(MemoryLog):
    """A log that cannot tell its incarnation, as Kafka's clients cannot."""

    async def incarnation(self, topic: str) -> str:
        return ""


_CASES = [(True, 0), (True, 5), (False, 0), (False, 5), (False, 40)]


@pytest.mark.parametrize(
    ("log", "running", "again"),
    [
        *((MemoryLog, *case) for case in _CASES),
        *((NamelessLog, *case) for case in _CASES),
        (MemoryLog, True, 40),  # its reader notices nothing, and a log without a name could not either
    ],
)
async def test_another_log_under_the_same_name_is_read_from_its_start(
    ledger: Ledger, log: Callable[..., MemoryLog], running: bool, again: int
) -> None:
    ledger.log = log(TOPICS)
    process = ledger.process()
    await ledger.log.append(sessions(*NAMES))
    await process.run()
    if not running:
        await process.worker.stop()
    ledger.log.recreate(TOPIC)
    # Known ones first, then new ones; where the new log is longer only the record before the position tells. Under
    # other keys, or that might be the same one again (and would rightly pass for the same log).
    names = [*NAMES, *(f"new{number}" for number in range(100))][8 : 8 + again]
    await ledger.log.append([record._replace(key=record.key + b"'") for record in sessions(*names)])
    process = process if running else ledger.process()
    await process.later()
    await process.run()

    assert await ledger.counted() == sorted({*NAMES, *names})
    done = await ledger.progress()
    assert done.read == 12 + again
    assert done.lost == 0
    assert await ledger.adds_up()
    bounds = await ledger.log.bounds(TOPIC)
    assert {number: end for number, (_, end) in bounds.items() if end} == {
        number: offset for number, offset in done.offsets.items() if offset
    }


@pytest.mark.parametrize("running", [True, False])
async def test_a_topic_made_anew_with_fewer_partitions_is_read_whole(ledger: Ledger, running: bool) -> None:
    """Rows of partitions that are gone stay, for what was read of them; nobody claims them in place of those there."""
    process = ledger.process()
    await ledger.log.append(sessions(*NAMES))
    await process.run()
    if not running:
        await process.worker.stop()
    ledger.log.recreate(TOPIC, 1)
    await ledger.log.append(sessions("new-1", "new-2"))
    process = process if running else ledger.process()
    for _ in range(3):
        await process.later()
    await process.run()

    assert await ledger.counted() == sorted([*NAMES, "new-1", "new-2"])
    assert await ledger.adds_up()
    assert await ledger.rows("SELECT partition FROM consumer_offset WHERE owner IS NOT NULL") == [(0,)]


async def test_what_a_partition_owes_that_is_gone_is_published_once(ledger: Ledger) -> None:
    await ledger.log.append(sessions(*NAMES))
    await ledger.process().worker.run_once()
    ledger.log.recreate(TOLD)  # as if it had ended before it published
    ledger.log.recreate(TOPIC, 1)
    await ledger.expire_leases()
    process = ledger.process()
    for _ in range(6):
        await process.later()
    assert set(ledger.told()) == set(NAMES)
    assert await ledger.rows("SELECT partition FROM consumer_offset WHERE published < next_offset") == []


@pytest.mark.parametrize("running", [True, False])
async def test_what_expired_unread_is_counted_as_lost_and_the_rest_is_read(ledger: Ledger, running: bool) -> None:
    process = ledger.process()
    await ledger.log.append(sessions(*NAMES[:5]))
    await process.run()
    if not running:
        await process.worker.stop()
    await ledger.log.append(sessions(*NAMES[5:]))
    await ledger.log.expire(int(time.time() * 1000) + 200 * 3_600_000)
    await ledger.log.append(sessions("later"))
    process = process if running else ledger.process()
    await process.run()
    await process.run()

    assert await ledger.counted() == sorted([*NAMES[:5], "later"])
    done = await ledger.progress()
    assert done.lost == 7
    assert done.read == 6
    assert done.outcomes == {"new": 6}
    gaps = await ledger.rows("SELECT partition, first_lost, count FROM log_gap")
    assert sum(count for _, _, count in gaps) == 7


async def test_a_position_that_could_not_be_looked_at_is_not_read_from(ledger: Ledger) -> None:
    """The log was away just then; that it is another one is noticed when it is back."""
    ledger.log = NamelessLog(TOPICS)
    process = ledger.process()
    await ledger.log.append(sessions(*NAMES))
    await process.run()
    await process.worker.stop()
    ledger.log.recreate(TOPIC)
    new = [f"new{number}" for number in range(40)]
    await ledger.log.append(sessions(*new))
    process = ledger.process()
    reader = process.log.made_reader
    reader.record_at, look_up = _away, reader.record_at
    with pytest.raises(LogUnavailable):
        await process.worker.run_once()
    reader.record_at = look_up
    await process.later()
    await process.run()
    assert await ledger.counted() == sorted([*NAMES, *new])


async def _away(partition: Partition, offset: int) -> None:
    raise LogUnavailable("away")


async def test_a_database_restored_under_a_worker_is_read_from_where_it_stands(ledger: Ledger) -> None:
    """It names the same worker and epoch as before, and an earlier position; no record comes that would tell."""
    process = ledger.process()
    await process.run()
    tables = ("session", "consumer_offset", "consumer_tally", "worker")
    for table in tables:
        await ledger.execute(f"CREATE TABLE yesterdays_{table} AS TABLE {table}")
    await ledger.log.append(sessions(*NAMES))
    await process.run()
    for table in tables:
        await ledger.execute(f"DELETE FROM {table}")
        await ledger.execute(f"INSERT INTO {table} TABLE yesterdays_{table}")
        await ledger.execute(f"DROP TABLE yesterdays_{table}")
    assert await ledger.counted() == []

    await process.later()
    await process.run()
    assert await ledger.counted() == sorted(NAMES)
    assert (await ledger.progress()).outcomes == {"new": 12}


async def test_a_second_claim_does_not_count_a_gap_again(ledger: Ledger) -> None:
    await ledger.log.append(sessions(*NAMES))
    await ledger.log.expire(int(time.time() * 1000) + 200 * 3_600_000)
    for _ in range(2):
        process = ledger.process()
        await process.run()
        await ledger.expire_leases()
    assert (await ledger.progress()).lost == 12


async def test_who_has_lost_a_partition_meanwhile_counts_no_gap(ledger: Ledger) -> None:
    process = ledger.process()
    await process.run()
    held = replace(next(iter(process.worker._held.values())), epoch=0)
    found = Found("", {held.partition.number: Bounds(7, 9)})
    await process.worker._positions.settle(held, found, process.log.made_reader)
    assert (await ledger.progress()).lost == 0


async def test_the_incarnation_tells_where_the_record_before_the_position_happens_to_be_the_same(
    ledger: Ledger,
) -> None:
    process = ledger.process()
    await ledger.log.append(in_one_partition("a", "b", "c"))
    await process.run()
    await process.worker.stop()
    ledger.log.recreate(TOPIC)
    await ledger.log.append(in_one_partition("x", "y", "c", "d"))
    await ledger.process().run()
    assert await ledger.counted() == ["a", "b", "c", "d", "x", "y"]


def in_one_partition(*names: str) -> list[NewRecord]:
    return [record._replace(key=b"one") for record in sessions(*names)]


async def test_a_position_behind_the_end_tells_where_no_record_is_remembered(ledger: Ledger) -> None:
    """After a gap nothing is: the last record that was passed is not there."""
    ledger.log = NamelessLog(TOPICS)
    await ledger.log.append(in_one_partition("a", "b", "c"))
    await ledger.log.expire(int(time.time() * 1000) + 200 * 3_600_000)
    process = ledger.process()
    await process.run()
    await process.worker.stop()
    ledger.log.recreate(TOPIC)
    await ledger.log.append(in_one_partition("d"))
    await ledger.process().run()
    assert await ledger.counted() == ["d"]


async def test_what_was_owed_when_the_log_was_lost_is_published_all_the_same(ledger: Ledger) -> None:
    """Also when the one who finds both ends on the way."""
    at, killed = 0, True
    while killed:
        at += 1
        await ledger.empty()
        ledger.log = MemoryLog(TOPICS)
        await ledger.log.append(sessions(*NAMES))
        await ledger.process().worker.run_once()
        ledger.log.recreate(TOLD)  # as if it had ended before it published
        ledger.log.recreate(TOPIC)
        killed = await killed_on_the_way(ledger, at)
        await ledger.expire_leases()
        await ledger.process().run()
        assert set(ledger.told()) == set(NAMES), f"killed at step {at}"
    assert at > 10


async def killed_on_the_way(ledger: Ledger, step: int) -> bool:
    await ledger.expire_leases()
    process = ledger.process(Failpoints(step))
    ledger.processes.clear()
    try:
        await process.run()
    except Killed:
        return True
    return False
