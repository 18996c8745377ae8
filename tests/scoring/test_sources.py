"""What came to sources' doors: every delivery counted once, in the column that a shop owner would look for it in."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.scoring.received import Recent, state
from services.scoring.sources import Sources
from shared.consumer import worker as runtime
from shared.log.port import NewRecord
from tests.builders import ANSWERED
from tests.scoring.delivered import delivery, made, stranger
from tests.scoring.world import NOW, World

NOTHING: dict[str, Any] = {
    "received": 0, "accepted": 0, "duplicates": 0, "conflicts": 0, "ignored": {}, "rejected": {}, "incomplete": {},
}  # fmt: skip
MIXED = [
    delivery("first", made("a"), made("b")),
    delivery("again", made("a"), made("b")),  # redelivered
    delivery("partly new", made("b"), made("c")),
    delivery("changed", made("a", 2, "5 of 5")),  # the sender's next revision
    delivery("other", made("a", 1, "4 of 5"), made("d")),  # the same revision says otherwise
    delivery("half", made("e"), reason="out_of_range", errors={"out_of_range": 1}),
    delivery("nothing"),
    delivery("nothing again"),
    delivery("note", reason="internal_note"),
    delivery("broken", outcome="rejected", reason="mapping_failed", errors={"mapping_failed": 2}),
    stranger("who"),
    delivery("elsewhere", made("z"), source="shopify"),
]
REPAIRS = {
    "received": 11,
    "accepted": 4,
    "duplicates": 1,
    "conflicts": 1,
    "ignored": {"internal_note": 1, "no_rule": 2},
    "rejected": {"bad_signature": 1, "mapping_failed": 1},
    "incomplete": {"out_of_range": 1},
}


class NobodyAdded:
    def items(self, prefix: str) -> list[tuple[str, dict[str, Any] | None]]:
        return []


def asked(world: World) -> Sources:
    return Sources(world.db, NobodyAdded(), world.clock, world.settings.zone)  # type: ignore[arg-type]


async def one(world: World, name: str = "repairs") -> dict[str, Any]:
    sources = asked(world)
    found = await sources.one(name, sources.window(None, None))
    assert found is not None
    return found


async def numbers(world: World, name: str = "repairs") -> dict[str, Any]:
    found = await one(world, name)
    return {name: found[name] for name in NOTHING}


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_each_delivery_counts_in_one_column(world: World, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(runtime, "BATCH_RECORDS", size)
    for record in MIXED:  # in this order, whichever partition they lie in
        await world.log.append([record])
        if size == 1:
            await world.read()
    await world.read()
    found = await numbers(world)
    if size == 1:
        assert found == REPAIRS
        assert await numbers(world, "shopify") == NOTHING | {"received": 1, "accepted": 1}
    # Whichever of two came first: together they are the same.
    assert found["received"] == 11
    assert found["accepted"] + found["duplicates"] + found["conflicts"] == 6
    assert (found["ignored"], found["rejected"]) == (REPAIRS["ignored"], REPAIRS["rejected"])


async def test_copies_in_one_batch_and_in_the_next(world: World) -> None:
    await world.told(*(delivery(f"copy {number}", made("a"), made("b")) for number in range(3)))
    await world.told(delivery("late copy", made("a"), made("b")))
    found = await numbers(world)
    assert (found["received"], found["accepted"], found["duplicates"]) == (4, 1, 3)


async def test_contents_that_differ_within_one_batch(world: World) -> None:
    await world.told(delivery("one", made("a", 1, "4 of 5")), delivery("two", made("a", 1, "5 of 5")))
    found = await numbers(world)
    assert (found["accepted"], found["conflicts"]) == (1, 1)


async def test_a_record_that_stands_on_the_log_twice_counts_once(world: World) -> None:
    await world.told(*MIXED[:2], MIXED[0])
    await world.told(MIXED[1])
    assert (await numbers(world))["received"] == 2
    ((new, duplicates),) = await world.rows(
        "SELECT sum(n) FILTER (WHERE outcome = 'new')::int, sum(n) FILTER (WHERE outcome = 'duplicate')::int"
        " FROM consumer_tally WHERE topic = 'petla.raw'"
    )
    assert (new, duplicates) == (2, 2)


async def test_a_log_that_is_read_again_counts_nothing_again(world: World) -> None:
    await world.told(*MIXED)
    before = await one(world)
    await world.execute("DELETE FROM consumer_offset")
    world.clock.seconds += 1
    await world.read()
    assert await one(world) == before


async def test_a_replay_counts_nothing_and_what_it_made_is_known(world: World) -> None:
    await world.told(delivery("first", made("a", 1)))
    await world.told(delivery("replay", made("a", 2), replays="first", body=None))
    await world.told(delivery("again", made("a", 2)))
    found = await one(world)
    assert (found["received"], found["accepted"], found["duplicates"]) == (2, 1, 1)
    assert len(found["deliveries"]) == 2


async def test_days_are_those_of_the_deployment(world: World) -> None:
    before, after = (datetime(2026, 11, 19, 22, 59, tzinfo=UTC), datetime(2026, 11, 19, 23, 1, tzinfo=UTC))
    await world.told(delivery("a", made("a"), at=before), delivery("b", made("b"), at=after))
    found = await one(world)
    assert found["window"] == {"from": "2026-11-15", "to": "2026-11-22", "timezone": "Europe/Warsaw"}
    assert {day["day"]: day["received"] for day in found["days"]} == {
        "2026-11-15": 0, "2026-11-16": 0, "2026-11-17": 0, "2026-11-18": 0,
        "2026-11-19": 1, "2026-11-20": 1, "2026-11-21": 0,
    }  # fmt: skip
    sources = asked(world)
    friday = await sources.one("repairs", sources.window(date(2026, 11, 20), date(2026, 11, 21)))
    assert friday is not None
    assert friday["received"] == 1


async def test_the_newest_hundred_stay_and_the_last_error_outlives_them(world: World) -> None:
    error = delivery("broken", outcome="rejected", reason="mapping_failed", status=202, at=ANSWERED)
    later = [delivery(f"d{at}", made(f"d{at}"), at=ANSWERED + timedelta(seconds=1 + at)) for at in range(150)]
    await world.told(error, *later[:60])
    await world.told(*later[60:])
    found = await one(world)
    assert found["received"] == 151
    assert [each["at"] for each in found["deliveries"]] == sorted((e["at"] for e in found["deliveries"]), reverse=True)
    assert len(found["deliveries"]) == 100
    assert await world.rows("SELECT count(*) FROM source_delivery") == [(100,)]
    assert found["last_error"] == {"at": "2026-11-20T10:00:00Z", "reason": "mapping_failed", "status": 202}
    assert found["last_seen"] == "2026-11-20T10:02:30Z"
    assert found["deliveries"][0]["kept"]


async def test_what_is_old_is_listed_and_cannot_be_tried(world: World) -> None:
    await world.told(delivery("old", made("a"), at=NOW - timedelta(days=31)))
    (found,) = (await one(world))["deliveries"]
    assert (found["outcome"], found["kept"]) == ("accepted", False)


async def test_records_too_old_to_come_again_are_forgotten(world: World) -> None:
    await world.told(delivery("old", made("a"), at=datetime(2026, 1, 1, tzinfo=UTC)), delivery("new", made("b")))
    await world.told(delivery("newer", made("c")))
    assert await world.rows("SELECT count(*) FROM source_record WHERE received_at < '2026-02-01'") == [(0,)]


@pytest.mark.parametrize(
    ("seen", "recent", "expected"),
    [
        (None, Recent(0, 0), "waiting"),
        (NOW - timedelta(hours=24), Recent(0, 0), "silent"),
        (NOW - timedelta(hours=23), Recent(21, 1), "receiving"),
        (NOW - timedelta(hours=23), Recent(20, 1), "failing"),
        (NOW, Recent(1, 1), "failing"),
        (NOW, Recent(100, 0), "receiving"),
    ],
)
def test_how_a_source_is_doing(seen: datetime | None, recent: Recent, expected: str) -> None:
    assert state(seen, recent, NOW) == expected


async def test_nothing_that_was_sent_is_kept(world: World) -> None:
    """Neither words nor the sender's own names: what is not here needs no erasing."""
    told = made("Kowalska-17", content="zła obsługa")
    mark = "parse_time cannot read 'Kowalska'"
    await world.told(
        delivery("Kowalska", told, errors={"invalid": 1}, reason="invalid", message=mark, url="/?mail=Kowalska"),
    )
    for table in ("source_record", "source_fact", "source_day", "source_seen", "source_delivery"):
        rows = await world.rows(f"SELECT * FROM {table}")
        assert rows
        assert "Kowalska" not in str(rows)


async def test_a_record_nobody_can_read_is_set_aside_and_the_others_count(world: World) -> None:
    stray = NewRecord("petla.raw", b"k", b"{}")
    await world.told(stray, *MIXED[:1])
    assert (await numbers(world))["received"] == 1
    assert await world.rows("SELECT topic, reason FROM dead_letter") == [("petla.raw", "undecodable")]
