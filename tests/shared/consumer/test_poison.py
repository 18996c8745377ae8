"""A record that cannot be processed is set aside with its reason; its neighbours count; too many stop the worker."""

import json

import pytest

from shared.log.port import NewRecord
from tests.builders import session
from tests.shared.consumer.faults import server_says, too_slow
from tests.shared.consumer.ledger import TOPIC, Ledger

broken = server_says("22P02")


def garbage(number: int) -> NewRecord:
    return NewRecord(TOPIC, b"one partition", f"garbage {number}".encode())


def changed(**fields: object) -> NewRecord:
    """A session with other attributes than the door would have written."""
    event = json.loads(session("s1").value or b"") | fields
    return NewRecord(TOPIC, b"key", json.dumps(event).encode())


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param(NewRecord(TOPIC, b"key", None), "empty", id="tombstone"),
        pytest.param(NewRecord(TOPIC, b"key", b""), "undecodable", id="empty value"),
        pytest.param(NewRecord(TOPIC, b"key", b"\x00\xff garbage"), "undecodable", id="garbage"),
        pytest.param(NewRecord(TOPIC, b"key", b"[" * 100_000), "undecodable", id="too deep"),
        pytest.param(NewRecord(TOPIC, b"key", b"[1, 2]"), "undecodable", id="no event"),
        pytest.param(NewRecord(TOPIC, b"key", b"x" * 900_000), "undecodable", id="900 kB"),
        pytest.param(changed(type="session.ended.v2"), "unknown_type", id="a later version"),
        pytest.param(changed(data={"session_id": "s1", "ordered": "perhaps"}), "invalid", id="wrong data"),
        pytest.param(changed(data={"session_id": "s1"}), "invalid", id="data missing"),
        pytest.param(changed(data=7), "invalid", id="data no object"),
        pytest.param(changed(revision=2**60), "undecodable", id="revision too large"),
        pytest.param(changed(factid="no uuid"), "handler_failed", id="no fact id"),
    ],
)
async def test_a_record_nobody_can_read_is_set_aside_and_the_offset_advances(
    ledger: Ledger, record: NewRecord, reason: str
) -> None:
    process = ledger.process()
    await ledger.log.append([session("before"), record, session("after")])
    assert await process.run() == 3
    assert await process.run() == 0

    assert await ledger.counted() == ["after", "before"]
    assert [found for _, found in await ledger.letters()] == [reason]
    assert (await ledger.progress()).outcomes == {"new": 2, f"rejected.{reason}": 1}
    assert await ledger.adds_up()
    ((value,),) = await ledger.rows("SELECT value FROM dead_letter")
    assert value == record.value


async def test_what_breaks_the_handler_is_found_by_halving(ledger: Ledger) -> None:
    process = ledger.process()
    process.counting.broken = {"s3": broken, "s11": broken}
    await ledger.log.append([session(f"s{number}") for number in range(16)])
    assert await process.run() == 16

    assert await ledger.counted() == sorted(f"s{number}" for number in range(16) if number not in (3, 11))
    rows = await ledger.rows("SELECT reason, source, id, value, detail FROM dead_letter")
    assert {(reason, source, id_) for reason, source, id_, _, _ in rows} == {("handler_failed", "shop", None)}
    assert {json.loads(value)["id"] for *_, value, _ in rows} == {"s3", "s11"}
    assert all("as the test wants it" in detail for *_, detail in rows)
    assert await ledger.adds_up()
    assert set(ledger.told()) == set(await ledger.counted())


async def test_a_fault_that_passes_costs_no_record(ledger: Ledger) -> None:
    """Two workers may meet in a unique key, an operator may cancel a statement: the second try is clean."""
    process = ledger.process()
    process.counting.faults = [server_says("23505")]
    await ledger.log.append([session("alone")])
    await process.run()
    assert await ledger.counted() == ["alone"]
    assert await ledger.letters() == []


async def test_a_statement_that_takes_too_long_is_halved_down_to_its_record(ledger: Ledger) -> None:
    process = ledger.process()
    process.counting.broken = {"slow": too_slow}
    await ledger.log.append([session(name) for name in ("s1", "s2", "slow", "s3")])
    await process.run()
    assert await ledger.counted() == ["s1", "s2", "s3"]
    assert [reason for _, reason in await ledger.letters()] == ["handler_failed"]


async def test_an_error_that_cannot_be_stored_as_it_is_holds_nothing_up(ledger: Ledger) -> None:
    async def unprintable(tx: object) -> None:
        raise ValueError("a NUL \0 and half a pair \ud800" + "x" * 5_000)

    process = ledger.process()
    process.counting.broken = {"s1": unprintable}
    await ledger.log.append([session("s1"), session("s2")])
    await process.run()
    assert await ledger.counted() == ["s2"]
    ((detail,),) = await ledger.rows("SELECT detail FROM dead_letter")
    assert detail.startswith("ValueError: a NUL � and half a pair ?")
    assert len(detail) == 1_000


async def test_the_same_record_twice_in_a_batch_counts_once(ledger: Ledger) -> None:
    process = ledger.process()
    await ledger.log.append([session("s1"), session("s2"), session("s1"), session("s1")])
    await process.run()
    assert await ledger.counted() == ["s1", "s2"]
    assert (await ledger.progress()).outcomes == {"new": 2, "duplicate": 2}


async def test_fifty_in_a_row_are_set_aside_the_next_one_stops_the_worker(ledger: Ledger) -> None:
    process = ledger.process()
    await ledger.log.append([garbage(number) for number in range(50)])
    await process.run()
    assert len(await ledger.letters()) == 50
    assert process.worker.problem is None

    await ledger.log.append([garbage(50), garbage(51)])
    await process.run()
    assert process.worker.problem is not None
    assert "51 records in a row of petla.activity" in process.worker.problem
    assert len(await ledger.letters()) == 50
    ((next_offset,),) = await ledger.rows("SELECT max(next_offset) FROM consumer_offset")
    assert next_offset == 50
    # It gave its partitions back and claims none again.
    assert await process.later() == 0
    assert await ledger.shares() == [0]


@pytest.mark.parametrize("between", [0, 4])
async def test_an_operator_who_has_looked_gets_past_what_stops_every_worker(ledger: Ledger, between: int) -> None:
    good = [session(f"s{number}")._replace(key=b"one partition") for number in range(60 * between)]
    await ledger.log.append([*good[: len(good) // 2], *map(garbage, range(60)), *good[len(good) // 2 :]])
    for _ in range(3):
        process = ledger.process()
        await process.run()
        assert process.worker.problem is not None
        assert "PETLA_SET_ASIDE_ALL=true" in process.worker.problem
        await process.worker.stop()
    assert await ledger.letters() == []

    process = ledger.process(unlimited=True)
    await process.run()
    assert process.worker.problem is None
    assert len(await ledger.letters()) == 60
    assert len(await ledger.counted()) == len(good)
    assert await ledger.adds_up()


async def test_a_good_record_between_starts_the_count_again(ledger: Ledger) -> None:
    process = ledger.process()
    for at in range(3):
        one = session(f"s{at}")
        # In one partition, or the order in which partitions are read would decide what stands between.
        await ledger.log.append([garbage(number)._replace(key=one.key) for number in range(40)])
        await ledger.log.append([one])
        await process.run()
    assert process.worker.problem is None
    assert len(await ledger.letters()) == 120


async def test_more_than_a_tenth_of_a_large_batch_stops_the_worker_before_anything_is_set_aside(ledger: Ledger) -> None:
    process = ledger.process()
    mixed = [garbage(number) if number % 9 == 0 else session(f"s{number}") for number in range(100)]
    await ledger.log.append(mixed)
    await process.run()
    assert process.worker.problem is not None
    assert "11 of 100 records" in process.worker.problem
    assert await ledger.letters() == []
    assert await ledger.counted() == []


async def test_a_tenth_of_a_large_batch_is_set_aside(ledger: Ledger) -> None:
    process = ledger.process()
    mixed = [garbage(number) if number % 10 == 0 else session(f"s{number}") for number in range(100)]
    await ledger.log.append(mixed)
    await process.run()
    assert process.worker.problem is None
    assert len(await ledger.letters()) == 10
    assert len(await ledger.counted()) == 90


async def test_a_handler_that_fails_for_more_than_a_tenth_stops_the_worker(ledger: Ledger) -> None:
    process = ledger.process()
    process.counting.broken = {f"s{number}": broken for number in range(0, 100, 5)}
    await ledger.log.append([session(f"s{number}") for number in range(100)])
    await process.run()
    assert process.worker.problem is not None
    assert "11 of 100 records" in process.worker.problem
    assert len(await ledger.letters()) == 10


async def test_trying_again_counts_no_record_twice(ledger: Ledger) -> None:
    """A poison record at the head while the disk is full: sixty tries are not sixty records."""
    process = ledger.process()
    await ledger.log.append([garbage(0)])
    await ledger.execute(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION ''disk full'' USING ERRCODE = ''53100''; END'"
    )
    await ledger.execute("CREATE TRIGGER full_disk BEFORE INSERT ON dead_letter EXECUTE FUNCTION full_disk()")
    try:
        for _ in range(60):
            with pytest.raises(Exception, match="disk full"):
                await process.worker.run_once()
    finally:
        await ledger.execute("DROP FUNCTION full_disk CASCADE")
    await process.run()
    assert process.worker.problem is None
    assert await ledger.letters() == [(0, "undecodable")]
