"""Records that nobody's door wrote, and records in any order and number (B-13, B-14), on either log."""

import json
import random

from shared.log.port import NewRecord
from tests.builders import answer, retraction
from tests.faults.world import World, answers


def later_version(record: NewRecord) -> NewRecord:
    event = json.loads(record.value or b"") | {"type": "feedback.received.v9"}
    return record._replace(value=json.dumps(event).encode())


async def test_what_nobody_can_read_is_set_aside_and_its_neighbours_count(world: World) -> None:
    (record,) = answers("any")
    bad = [
        record._replace(value=None),
        record._replace(value=b""),
        record._replace(value=b"\x00\xff garbage"),
        record._replace(value=b"x" * 900_000),
        later_version(record),
    ]
    good = answers(*(f"low-{n}" for n in range(6)))
    await world.send(*(each for pair in zip(good, [*bad, record], strict=True) for each in pair))
    found = await world.assert_counted_once(7, 7)
    topic = found["topics"][world.settings.topic("feedback")]
    assert topic["rejected"] == {"empty": 1, "undecodable": 3, "unknown_type": 1}
    letters = await world.rows("scoring", "SELECT length(value) FROM dead_letter ORDER BY 1")
    assert [length for (length,) in letters][-2:] == [900_000, None]


async def test_any_order_and_any_number_of_copies_count_once(world: World) -> None:
    """Also of revisions: the highest one counts, whenever it comes."""
    records = [
        *(answer(f"better-{n}", score, revision) for n in range(5) for revision, score in enumerate((3, 2, 9))),
        *(answer(f"worse-{n}", score, revision) for n in range(5) for revision, score in enumerate((9, 8, 1))),
        *(record for n in range(5) for record in (answer(f"gone-{n}", 0), retraction(f"gone-{n}"))),
    ]
    shuffled = records * 3
    random.shuffle(shuffled)
    for at in range(0, len(shuffled), 10):
        await world.send(*shuffled[at : at + 10])
        await world.once()
    found = await world.healed()
    assert found["feedback"] == {"scored": 10, "retracted": 5, "superseded": 25}
    assert found["topics"][world.settings.topic("feedback")]["duplicates"] == 2 * len(records)
    assert found["detractors"] == {"total": 5, "followups": 5, "suppressed": {}, "missing": 0}
    assert found["balanced"]
    assert (await world.nps())["counts"] == {"promoter": 5, "passive": 0, "detractor": 5}
