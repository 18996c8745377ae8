"""What was set aside is sent to the log again when it can be processed, and counts once."""

import pytest

from shared.consumer.retrying import Retried, send_again
from shared.log.port import LogUnavailable, NewRecord
from tests.builders import session
from tests.conftest import MakeDatabase
from tests.shared.consumer.faults import server_says
from tests.shared.consumer.ledger import TOPIC, Ledger, Process

broken = server_says("22P02")


async def set_aside(ledger: Ledger, *names: str) -> Process:
    """A worker that these break, after it has met them between others."""
    process = ledger.process()
    process.counting.broken = dict.fromkeys(names, broken)
    await ledger.log.append([session(name) for name in ("before", *names, "after")])
    await process.run()
    assert len(await ledger.letters()) == len(names)
    return process


async def test_what_a_mended_handler_takes_counts_once(ledger: Ledger) -> None:
    process = await set_aside(ledger, "s1", "s2")
    process.counting.broken = {}
    await ledger.log.append([session("s2")])  # its sender has sent it again meanwhile
    assert await send_again(ledger.db, ledger.log, 20) == Retried(sent=2, unreadable=0, left=0)
    await process.run()

    assert await ledger.counted() == ["after", "before", "s1", "s2"]
    assert await ledger.letters() == []
    assert (await ledger.progress()).outcomes == {"new": 4, "duplicate": 1, "rejected.handler_failed": 2}
    assert await ledger.adds_up()
    assert set(ledger.told()) == {"after", "before", "s1", "s2"}
    assert await send_again(ledger.db, ledger.log, 20) == Retried(0, 0, 0)


async def test_it_lies_where_all_about_its_object_lies(ledger: Ledger) -> None:
    await set_aside(ledger, "s1")
    await send_again(ledger.db, ledger.log, 20)
    first, again = (one.partition for one in ledger.log.records(TOPIC) if b"s1" in (one.value or b""))
    assert first == again


async def test_what_fails_again_is_set_aside_again(ledger: Ledger) -> None:
    process = await set_aside(ledger, "s1")
    assert (await send_again(ledger.db, ledger.log, 20)).sent == 1
    assert await ledger.letters() == []
    await process.run()
    assert [reason for _, reason in await ledger.letters()] == ["handler_failed"]
    assert await ledger.adds_up()


async def test_what_this_version_cannot_read_stays_where_it_is(ledger: Ledger) -> None:
    process = ledger.process()
    await ledger.log.append([NewRecord(TOPIC, b"key", b"garbage"), NewRecord(TOPIC, b"key", None), session("s1")])
    await process.run()
    assert await send_again(ledger.db, ledger.log, 20) == Retried(sent=0, unreadable=1, left=0)
    assert len(await ledger.letters()) == 2
    assert await process.run() == 0


async def test_no_more_than_asked_for_over_many_pages(ledger: Ledger) -> None:
    process = ledger.process(unlimited=True)
    names = [f"s{number}" for number in range(230)]
    process.counting.broken = dict.fromkeys(names, broken)
    await ledger.log.append([session(name) for name in names])
    await process.run()
    process.counting.broken = {}
    assert await send_again(ledger.db, ledger.log, 120) == Retried(sent=120, unreadable=0, left=110)
    await process.run()
    assert len(await ledger.counted()) == 120
    assert await send_again(ledger.db, ledger.log, 120) == Retried(sent=110, unreadable=0, left=0)
    await process.run()
    assert await ledger.counted() == sorted(names)


async def test_what_the_log_does_not_take_stays_a_letter(ledger: Ledger) -> None:
    await set_aside(ledger, "s1")
    ledger.log.unavailable = "away"
    with pytest.raises(LogUnavailable):
        await send_again(ledger.db, ledger.log, 20)
    ledger.log.unavailable = None
    assert len(await ledger.letters()) == 1


async def test_where_nothing_was_ever_read_there_is_nothing_to_send(ledger: Ledger, database: MakeDatabase) -> None:
    assert await send_again(await database(None), ledger.log, 20) == Retried(0, 0, 0)
