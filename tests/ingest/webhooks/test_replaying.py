"""After a document was mended, what came in is mapped again: every fact as if it had always been there, none twice."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.webhooks.history import History
from services.ingest.webhooks.replaying import Replay, Replayed, VersionNotRaisedError
from shared.consumer.messages import Message, read_record
from shared.erasure.arrivals import without_person
from shared.events.envelope import Event
from shared.log.port import Record
from tests.ingest.running import ARRIVAL
from tests.ingest.webhooks.doors import BODY, REPAIRS, SECRET, Doors

EVER = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = """\
source: repairs
version: {version}
verify: {{scheme: hmac, encoding: hex, header: x-repair-signature, prefix: "sha256="}}
revision: number
rules:
  - {{when: kind == 'order', emit: order.placed.v1, id: order, map: {{order_id: order, channel: {channel}}}}}
  - {{when: "kind == 'order' && {also}", emit: delivery.completed.v1, id: order,
     map: {{order_id: order, completed_at: at}}}}
"""


def orders(version: int, channel: str = "\"'web'\"", also: str = "`true`") -> str:
    return ORDERS.format(version=version, channel=channel, also=also)


def order(name: str = "o-1", number: int | None = None, **more: Any) -> dict[str, Any]:
    return {"kind": "order", "order": name, "number": number, "at": "2026-11-20T10:00:00Z", **more}


async def replay(doors: Doors, since: datetime = EVER, dry_run: bool = False) -> Replayed:
    source = doors.sources().get("repairs", doors.clock.now())
    assert source is not None
    keeping = Keeping(doors.log, doors.settings.topic, doors.clock, Counters(CollectorRegistry()))
    history = History(doors.log, "petla.raw", "repairs")
    return await Replay(history, source.document, None if dry_run else keeping).run(since)


def counts(done: Replayed) -> dict[str, int]:
    named = {name: getattr(done, name) for name in ("added", "changed", "retracted", "unchanged", "kept", "failed")}
    return {name: count for name, count in named.items() if count}


def current(doors: Doors) -> dict[str, Event]:
    """By type and fact, what a reader ends with: the highest revision, the first of equals."""
    found: dict[str, Event] = {}
    for event in (*doors.events(), *doors.events("petla.activity")):
        known = found.get(event.factid)
        if known is None or event.revision > known.revision:
            found[event.factid] = event
    return found


def told(doors: Doors) -> list[tuple[str, Mapping[str, Any]]]:
    found = [(event.type, json.loads(bytes(event.data))) for event in current(doors).values()]
    return sorted(found, key=str)


async def test_a_mended_field_replaces_the_facts(doors: Doors) -> None:
    await doors.deliver()
    await doors.add("repairs", REPAIRS.replace("item.comment", "'mended'").replace("'csat'", "'rating'"), version=2)
    done = await replay(doors)
    assert (done.deliveries, counts(done)) == (1, {"changed": 2})
    assert [data["metric"] for _, data in told(doors)] == ["rating", "rating"]
    assert len(current(doors)) == 2
    assert {event.revision % 1000 for event in current(doors).values()} == {2}
    assert {event.receivedat for event in doors.events()} == {ARRIVAL}
    assert len(done.answers) == 2


async def test_done_again_it_changes_nothing(doors: Doors) -> None:
    await doors.deliver()
    await doors.add("repairs", REPAIRS.replace("'csat'", "'rating'"), version=2)
    await replay(doors)
    appends = doors.log.appends
    assert counts(await replay(doors)) == {"unchanged": 2}
    assert doors.log.appends == appends


async def test_a_dry_run_says_the_same_and_writes_nothing(doors: Doors) -> None:
    await doors.deliver()
    await doors.add("repairs", REPAIRS.replace("where: item.stars", "where: item.stars > `4`"), version=2)
    appends = doors.log.appends
    tried = await replay(doors, dry_run=True)
    assert (counts(tried), doors.log.appends) == ({"retracted": 1, "unchanged": 1}, appends)
    assert [example["id"] for example in tried.examples] == ["4711-q1"]
    assert counts(await replay(doors)) == counts(tried)


async def test_what_a_rule_no_longer_makes_is_retracted_and_may_come_back(doors: Doors) -> None:
    await doors.deliver()
    await doors.add("repairs", REPAIRS.replace("where: item.stars", "where: item.stars > `4`"), version=2)
    await replay(doors)
    assert [kind for kind, _ in told(doors)] == ["feedback.received.v1", "feedback.retracted.v1"]
    await doors.add("repairs", REPAIRS, version=3)
    assert counts(await replay(doors)) == {"changed": 1, "unchanged": 1}
    assert [kind for kind, _ in told(doors)] == ["feedback.received.v1", "feedback.received.v1"]


async def test_activity_is_retracted_in_the_partition_of_its_fact(doors: Doors) -> None:
    await doors.add("repairs", orders(1))
    await doors.deliver(order())
    await doors.add("repairs", orders(2, also="`false`"), version=2)
    assert counts(await replay(doors)) == {"retracted": 1, "unchanged": 1}
    assert [kind for kind, _ in told(doors)] == ["activity.retracted.v1", "order.placed.v1"]
    partitions = {record.partition.number for record in doors.log.records("petla.activity")}
    assert len(partitions) == 1


async def test_what_failed_before_is_added(doors: Doors) -> None:
    await doors.deliver({**BODY, "changed": "20.11.2026"})
    assert not doors.events()
    mended = REPAIRS.replace("milliseconds(changed)", "milliseconds(parse_time(changed, '%d.%m.%Y'))")
    mended = mended.replace("time: changed", "time: parse_time(changed, '%d.%m.%Y')")
    await doors.add("repairs", mended.replace("tables:", "timezone: Europe/Warsaw\ntables:"), version=2)
    assert counts(await replay(doors)) == {"added": 2}


async def test_a_delivery_that_fails_now_keeps_what_it_made(doors: Doors) -> None:
    await doors.deliver()
    await doors.add("repairs", REPAIRS.replace("score: item.stars", "score: number(item.comment)"), version=2)
    assert counts(await replay(doors)) == {"failed": 1, "kept": 2}
    assert [kind for kind, _ in told(doors)] == ["feedback.received.v1"] * 2


async def _erase_the_first(doors: Doors) -> None:
    """As somebody's erasure rewrites the log."""

    async def change(records: Sequence[Record]) -> list[bytes | None]:
        rests = [without_person(read) for one in records if isinstance(read := read_record(one), Message)]
        return [rest.record.value if one.offset == 0 else None for one, rest in zip(records, rests, strict=True)]

    await doors.log.rewrite("petla.raw", change)


@pytest.mark.parametrize("replayed_before", [False, True])
async def test_what_an_erased_persons_deliveries_made_stays(doors: Doors, replayed_before: bool) -> None:
    """An empty form is a form, and would make nothing: so the numbers would move."""
    form = REPAIRS.replace("verify:", "body: form\nverify:", 1)
    assert "body: form" in form
    await doors.deliver()
    if replayed_before:
        await doors.add("repairs", REPAIRS.replace("item.comment", "'mended'"), version=2)
        await replay(doors)
    before = current(doors)
    await _erase_the_first(doors)
    await doors.add("repairs", form, version=3)
    done = await replay(doors)
    assert (done.deliveries, done.erased, counts(done)) == (0, 1, {})
    assert current(doors) == before


async def test_a_replay_never_overtakes_the_senders_next_change(doors: Doors) -> None:
    await doors.add("repairs", orders(1))
    await doors.deliver(order(number=5))
    await doors.add("repairs", orders(2, channel="\"'store'\""), version=2)
    await replay(doors)
    await doors.add("repairs", orders(1))  # another process still has the document of before
    await doors.deliver(order(number=6))
    (placed,) = [event for event in current(doors).values() if event.type == "order.placed.v1"]
    assert (placed.revision, json.loads(bytes(placed.data))["channel"]) == (6001, "web")


async def test_of_several_deliveries_of_a_fact_the_newest_counts(doors: Doors) -> None:
    await doors.add("repairs", orders(1))
    for number in (7, 9, 8):
        await doors.deliver(order(number=number, note=f"n{number}"))
    await doors.add("repairs", orders(2, channel="note"), version=2)
    assert counts(await replay(doors)) == {"changed": 1, "unchanged": 1}
    (placed,) = [event for event in current(doors).values() if event.type == "order.placed.v1"]
    assert (placed.revision, json.loads(bytes(placed.data))["channel"]) == (9002, "n9")


async def test_when_the_newest_no_longer_counts_the_one_before_does(doors: Doors) -> None:
    await doors.add("repairs", orders(1, channel="note"))
    for number in (7, 9):
        await doors.deliver(order(number=number, note=f"n{number}"))
    await doors.add("repairs", orders(2, channel="note").replace("kind == 'order',", "note == 'n7',"), version=2)
    await replay(doors)
    (placed,) = [event for event in current(doors).values() if event.type == "order.placed.v1"]
    assert (placed.revision, json.loads(bytes(placed.data))["channel"]) == (9002, "n7")


async def test_what_earlier_deliveries_made_is_not_touched(doors: Doors) -> None:
    await doors.add("repairs", orders(1))
    await doors.deliver(order("o-1"))
    await doors.deliver(order("o-2"))
    doors.clock.advance(3600)
    await doors.deliver(order("o-2", note="again"))
    await doors.deliver(order("o-3"))
    await doors.add("repairs", orders(2, also="`false`"), version=2)
    done = await replay(doors, ARRIVAL + timedelta(minutes=1))
    assert (done.deliveries, counts(done)) == (2, {"retracted": 1, "unchanged": 2})
    assert [example["id"] for example in done.examples] == ["o-3"]


async def test_copies_and_strangers_deliveries_count_once_and_never(doors: Doors) -> None:
    for _ in range(3):
        await doors.deliver()
    await doors.deliver(secret="wrong")
    await doors.deliver({"event": "hello", "challenge": "x"})
    await doors.add("repairs", REPAIRS.replace("'csat'", "'rating'"), version=2)
    done = await replay(doors)
    assert (done.deliveries, counts(done)) == (3, {"changed": 2})
    assert len([event for event in doors.events() if event.revision % 1000 == 2]) == 2


async def test_a_version_that_was_not_raised_is_refused_before_anything_is_written(doors: Doors) -> None:
    await doors.deliver()
    await doors.add("repairs", REPAIRS.replace("'csat'", "'rating'"), version=1)
    appends = doors.log.appends
    with pytest.raises(VersionNotRaisedError, match="raise `version`"):
        await replay(doors)
    assert doors.log.appends == appends


async def test_an_unchanged_document_changes_nothing(doors: Doors) -> None:
    await doors.deliver()
    assert counts(await replay(doors)) == {"unchanged": 2}


async def test_an_ended_replay_goes_on_where_it_was(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("o-1", "o-2", "o-3"):
        await doors.deliver({**BODY, "repair": {"number": name, "customer": {"id": 1}}})
    await doors.add("repairs", REPAIRS.replace("where: item.stars", "where: item.stars > `4`"), version=2)
    append, left = doors.log.append, [2]

    async def failing(records: Any) -> Any:
        if not left[0]:
            raise OSError("killed")
        left[0] -= 1
        return await append(records)

    monkeypatch.setattr(doors.log, "append", failing)
    with pytest.raises(OSError, match="killed"):
        await replay(doors)
    monkeypatch.setattr(doors.log, "append", append)
    assert counts(await replay(doors)) == {"retracted": 1, "unchanged": 3}
    assert [kind for kind, _ in told(doors)] == ["feedback.received.v1"] * 3 + ["feedback.retracted.v1"] * 3


async def test_an_older_change_that_came_later_does_not_win(doors: Doors) -> None:
    await doors.add("repairs", orders(1))
    await doors.deliver(order(number=9))
    doors.clock.advance(3600)
    await doors.deliver(order(number=7))
    await doors.add("repairs", orders(2, channel="\"'store'\""), version=2)
    assert counts(await replay(doors, ARRIVAL + timedelta(minutes=1))) == {"unchanged": 2}
    assert {event.revision for event in current(doors).values()} == {9001}


async def test_another_sources_deliveries_are_its_own(doors: Doors) -> None:
    other = Doors({"PETLA_SOURCE_OTHER_SECRET": SECRET})
    other.log, other.config = doors.log, doors.config
    other.serve_on(doors.log)
    await doors.add("other", REPAIRS.replace("source: repairs", "source: other"))
    await doors.deliver()
    await other.deliver(source="other")
    await doors.add("repairs", REPAIRS.replace("'csat'", "'rating'"), version=2)
    done = await replay(doors)
    assert (done.deliveries, counts(done)) == (1, {"changed": 2})
    metrics = {(event.sender, json.loads(bytes(event.data))["metric"]) for event in current(doors).values()}
    assert metrics == {("repairs", "rating"), ("other", "csat")}
