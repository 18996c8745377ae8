"""Who lost a partition, or does not know what became of a commit, changes nothing more until it has claimed again."""

import pytest
from asyncpg import ConnectionDoesNotExistError

from shared import db
from shared.database_server import connect
from shared.db import is_transient
from shared.log.port import LogUnavailable
from tests.builders import session
from tests.shared.consumer.faults import Fault, driver_says, server_gone, server_says
from tests.shared.consumer.ledger import Ledger

NAMES = [f"s{number}" for number in range(8)]
RECORDS = [session(name) for name in NAMES]
_WAITS = "SELECT 1 FROM pg_stat_activity WHERE pid = :pid AND state = 'active' AND wait_event = 'ClientRead'"


async def test_a_worker_that_slept_through_its_lease_drops_what_it_read(ledger: Ledger) -> None:
    sleeper = ledger.process()
    await sleeper.run()
    await ledger.log.append(RECORDS)
    await ledger.expire_leases()
    successor = ledger.process()
    assert await successor.run() == 8

    assert await sleeper.worker.run_once() == 0
    assert sleeper.counting.calls == []
    assert await ledger.counted() == NAMES
    assert (await ledger.progress()).outcomes == {"new": 8}


async def test_the_epoch_alone_fences_where_the_position_has_not_moved(ledger: Ledger) -> None:
    sleeper = ledger.process()
    await sleeper.run()
    await ledger.expire_leases()
    await ledger.process().run()
    await ledger.log.append(RECORDS)

    assert await sleeper.worker.run_once() == 0
    assert sleeper.counting.calls == []
    assert await ledger.counted() == []


async def test_the_position_alone_fences_where_the_epoch_began_anew(ledger: Ledger) -> None:
    """Somebody deleted the row: the one that was made in its place counts its epochs from the start."""
    sleeper = ledger.process()
    await sleeper.run()
    await ledger.log.append(RECORDS)
    await ledger.execute("DELETE FROM consumer_offset")
    await ledger.execute("DELETE FROM worker")
    await ledger.process().run()
    assert await ledger.rows("SELECT DISTINCT epoch FROM consumer_offset") == [(1,)]

    assert await sleeper.worker.run_once() == 0
    assert sleeper.counting.calls == []


async def test_one_partition_lost_is_the_whole_batch_lost(ledger: Ledger) -> None:
    sleeper = ledger.process()
    await sleeper.run()
    await ledger.execute("UPDATE consumer_offset SET epoch = epoch + 1, owner = 'another' WHERE partition = 0")
    await ledger.log.append(RECORDS)

    assert await sleeper.worker.run_once() == 0
    assert await ledger.counted() == []
    await sleeper.run()
    assert 0 < len(await ledger.counted()) < 8
    assert await ledger.shares() == [1, 3]


async def test_rows_held_by_a_process_frozen_in_a_statement_are_had_all_the_same(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has moved positions, prepared its next statement, and stands still: no time limit of the server ends it."""
    monkeypatch.setitem(db._FROZEN_SECONDS, "reading", 0.0)
    process = ledger.process()
    await process.run()
    frozen = await connect(ledger.db.url, {"application_name": "petla"})
    await frozen.execute("BEGIN; UPDATE consumer_offset SET next_offset = next_offset + 1")
    await frozen.prepare("SELECT 1")
    while not await ledger.rows(_WAITS, pid=frozen.get_server_pid()):
        pass  # its answer is here before it waits for what comes next
    await ledger.log.append(RECORDS)
    await process.later()
    await process.run()
    assert await ledger.counted() == NAMES
    frozen.terminate()


async def test_a_commit_whose_answer_was_lost_counts_once(ledger: Ledger) -> None:
    process = ledger.process()
    await process.run()
    await ledger.log.append(RECORDS)
    process.db.lose_answer = ConnectionDoesNotExistError("connection was closed in the middle of operation")
    with pytest.raises(ConnectionDoesNotExistError):
        await process.worker.run_once()
    await process.run()

    assert await ledger.counted() == NAMES
    # Not even seen a second time: the position had moved with the facts.
    assert (await ledger.progress()).outcomes == {"new": 8}
    assert set(ledger.told()) == set(NAMES)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(server_says("40P01"), id="deadlock"),
        pytest.param(server_says("40001"), id="serialization"),
        pytest.param(driver_says("40P01"), id="deadlock in a COPY"),
        pytest.param(server_says("55P03"), id="lock timeout"),
        pytest.param(server_says("53100"), id="disk full"),
        pytest.param(server_says("57P01"), id="shutdown"),
        pytest.param(driver_says("25P03"), id="idle in transaction"),
        pytest.param(server_gone, id="connection cut"),
    ],
)
async def test_what_may_pass_by_itself_is_raised_and_then_done_whole(ledger: Ledger, fault: Fault) -> None:
    process = ledger.process()
    process.counting.faults = [fault, fault]
    await ledger.log.append(RECORDS)
    for _ in range(2):
        with pytest.raises(Exception, match=r".") as raised:
            await process.worker.run_once()
        assert is_transient(raised.value)
    assert await ledger.counted() == []

    assert await process.run() == 8
    assert process.counting.calls == [8, 8, 8]
    assert await ledger.counted() == NAMES
    assert await ledger.letters() == []
    assert (await ledger.progress()).outcomes == {"new": 8}


async def test_a_log_that_is_away_after_the_commit_gets_its_records_when_it_is_back(ledger: Ledger) -> None:
    process = ledger.process()
    await ledger.log.append(RECORDS)
    await process.worker.run_once()
    await ledger.log.append([session("late")])
    real_append, process.log.append = process.log.append, _away
    with pytest.raises(LogUnavailable):
        await process.worker.run_once()
    assert "late" in await ledger.counted()

    with pytest.raises(LogUnavailable):
        await process.worker.run_once()
    process.log.append = real_append
    await process.run()
    assert ledger.told()["late"] == 1


async def _away(records: object) -> None:
    raise LogUnavailable("away")


async def test_what_a_stopped_worker_has_published_is_not_published_again(ledger: Ledger) -> None:
    process = ledger.process()
    await ledger.log.append(RECORDS)
    await process.worker.run_once()
    await process.worker.stop()
    await ledger.process().run()
    assert set(ledger.told().values()) == {1}


async def test_an_idle_successor_settles_what_its_predecessor_owed(ledger: Ledger) -> None:
    """Also where nothing was published: otherwise the reconciliation would wait for ever."""
    await ledger.log.append(RECORDS)
    await ledger.process().worker.run_once()
    await ledger.expire_leases()
    successor = ledger.process()
    await successor.run()
    await successor.run()
    assert await ledger.rows("SELECT count(*) FROM consumer_offset WHERE published < next_offset") == [(0,)]
    assert set(ledger.told().values()) == {2}
