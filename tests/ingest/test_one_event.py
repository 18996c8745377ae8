"""One event in: what is kept of it, and under which name."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest

from shared.events.envelope import content_digest, decode_event
from shared.events.identity import FEEDBACK_TYPES
from tests.ingest.running import ARRIVAL, RunningIngest, answer, event


async def test_an_answer_is_kept_whole_and_told_by_its_id(ingest: RunningIngest) -> None:
    sent = answer(time="2026-11-20T10:00:00+01:00") | {"time": "2026-11-20T10:00:00+01:00"}
    response = await ingest.send(sent)
    assert response.status_code == 202
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    [kept] = ingest.events()
    assert body == {"id": str(kept.factid), "durability": "local"}
    assert UUID(body["id"]).version == 8
    assert (kept.specversion, kept.id, kept.source, kept.type) == ("1.0", "r-1", "/survey", "feedback.received.v1")
    assert kept.time == datetime(2026, 11, 20, 10, tzinfo=timezone(timedelta(hours=1)))
    assert (kept.sender, kept.receivedat, kept.revision) == ("shop", ARRIVAL, 0)
    assert msgspec.json.decode(kept.data) == {
        "metric": "nps",
        "score": 3.0,
        "scale_min": 0.0,
        "scale_max": 10.0,
        "feedback_id": "r-1",
        "customer": "c-1",
    }


async def test_without_a_time_the_arrival_is_the_time(ingest: RunningIngest) -> None:
    assert (await ingest.send(answer())).status_code == 202
    assert (await ingest.send(answer(2) | {"time": None, "revision": None})).status_code == 202
    assert {kept.time for kept in ingest.events()} == {ARRIVAL}


async def test_unknown_fields_and_attributes_are_left_behind(ingest: RunningIngest) -> None:
    sent = answer(colour="red", __proto__={"admin": True}) | {"subject": "x", "tenant": "y", "sender": "someone else"}
    assert (await ingest.send(sent)).status_code == 202
    [record] = ingest.log.records("petla.feedback")
    for word in (b"colour", b"red", b"__proto__", b"subject", b"tenant", b"someone else"):
        assert word not in (record.value or b"")


async def test_the_same_again_gets_the_same_answer_and_another_content_too(ingest: RunningIngest) -> None:
    first = await ingest.send(answer())
    again = await ingest.send(answer() | {"time": "2026-11-20T11:00:00Z"})
    other = await ingest.send(answer(score=9))
    assert first.json() == again.json() == other.json()
    assert len({record.partition for record in ingest.log.records("petla.feedback")}) == 1
    assert len({record.key for record in ingest.log.records("petla.feedback")}) == 1


@pytest.mark.parametrize(("one", "two"), [("3", "3.0"), ("-0", "0"), ("-0.0", "0.0"), ("3e0", "3")])
async def test_the_same_score_written_otherwise_is_the_same_content(ingest: RunningIngest, one: str, two: str) -> None:
    for score in (one, two):
        body = msgspec.json.encode(answer(score=777)).replace(b"777", score.encode())
        assert (await ingest.send(body)).status_code == 202
    digests = {content_digest("answer", kept.data) for kept in ingest.events()}
    assert len(digests) == 1
    assert len({bytes(kept.data) for kept in ingest.events()}) == 1


@pytest.mark.parametrize("scale_min", [b"0", b"-0.0", b"0.0"])
async def test_a_scale_that_begins_at_minus_zero_begins_at_zero(ingest: RunningIngest, scale_min: bytes) -> None:
    body = msgspec.json.encode(answer(metric="csat", scale_min=777, scale_max=10)).replace(b"777", scale_min)
    assert (await ingest.send(body)).status_code == 202
    assert b'"scale_min":0.0' in bytes(ingest.events()[0].data)


async def fact(ingest: RunningIngest, sent: dict[str, Any], key: str | None = None) -> str:
    response = await ingest.send(sent, key=key)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


async def test_feedback_is_named_by_its_feedback_id_whatever_the_type_or_the_event(ingest: RunningIngest) -> None:
    facts = [
        await fact(ingest, answer("first", feedback_id="f-1")),
        await fact(ingest, answer("second", feedback_id="f-1") | {"revision": 3}),
        await fact(ingest, answer("third", feedback_id="f-1") | {"type": "feedback.updated.v1", "revision": 1}),
        await fact(ingest, event("feedback.retracted.v1", "fourth", feedback_id="f-1") | {"revision": 2}),
        await fact(ingest, event("feedback.received.v1", "f-1", metric="comment", text="?")),
    ]
    assert len(set(facts)) == 1
    assert len({record.key for record in ingest.log.records("petla.feedback")}) == 1
    assert sorted(kept.revision for kept in ingest.events()) == [0, 0, 1, 2, 3]
    assert len(FEEDBACK_TYPES) == 3


async def test_what_makes_another_fact(ingest: RunningIngest) -> None:
    other_key = await ingest.new_key("other", "events:write")
    cancelled = event("order.cancelled.v1", "r-1", order_id="o-1")
    facts = [
        await fact(ingest, answer()),
        await fact(ingest, answer(), key=other_key),
        await fact(ingest, answer() | {"source": "/elsewhere"}),
        await fact(ingest, answer(2)),
        await fact(ingest, answer("1 ")),
        await fact(ingest, answer() | {"id": "R-1"}),
        await fact(ingest, cancelled),
        await fact(ingest, cancelled | {"type": "order.placed.v1"}),
        await fact(ingest, cancelled | {"id": "r-2"}),
    ]
    assert len(set(facts)) == len(facts)


async def test_two_keys_of_one_source_name_the_same_fact(ingest: RunningIngest) -> None:
    second = await ingest.new_key("shop", "admin")
    assert await fact(ingest, answer()) == await fact(ingest, answer(), key=second)


async def test_everything_about_one_order_has_one_key_and_no_name_in_it(ingest: RunningIngest) -> None:
    for kind, data in (
        (
            "order.placed.v1",
            {"total": {"amount": 12999, "currency": "PLN"}, "items": [{"product": "p", "quantity": 2}]},
        ),
        ("delivery.promised.v1", {"promised_date": "2026-11-22"}),
        ("delivery.completed.v1", {"completed_at": "2026-11-23T18:00:00+01:00"}),
        ("refund.issued.v1", {"refund_id": "f-1", "amount": {"amount": 100, "currency": "EUR"}}),
    ):
        assert (await ingest.send(event(kind, **data, order_id="order-number-9"))).status_code == 202
    records = ingest.log.records("petla.activity")
    assert len(records) == 4
    assert len({record.key for record in records}) == 1
    assert (await ingest.send(event("contact.resolved.v1", contact_id="order-number-9"))).status_code == 202
    keys = {record.key for record in ingest.log.records("petla.activity")}
    assert len(keys) == 2
    assert all(len(key or b"") == 4 for key in keys)


async def test_an_arrival_in_its_own_offset_stays_so(ingest: RunningIngest) -> None:
    completed = event("delivery.completed.v1", order_id="o", completed_at="2026-11-23T00:30:00+01:00")
    assert (await ingest.send(completed)).status_code == 202
    [record] = ingest.log.records("petla.activity")
    assert b'"completed_at":"2026-11-23T00:30:00+01:00"' in (record.value or b"")


async def test_null_and_left_out_differ_where_that_means_something(ingest: RunningIngest) -> None:
    sent = event("customer.updated.v1", customer="c-1", phone=None, consent={"contact": False})
    assert (await ingest.send(sent)).status_code == 202
    [record] = ingest.log.records("petla.activity")
    data = msgspec.json.decode(decode_event(record.value or b"").data)
    assert data == {"customer": "c-1", "phone": None, "consent": {"contact": False}}


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2026-11-21T12:00:00Z", "2010-02-28 23:59:59.5-11:00"])
async def test_the_ends_of_time_are_taken(ingest: RunningIngest, time: str) -> None:
    assert (await ingest.send(answer() | {"time": time})).status_code == 202
    assert ingest.events()[0].time == datetime.fromisoformat(time).astimezone(UTC)


@pytest.mark.parametrize("revision", [0, 1, 2**53 - 1])
async def test_revisions_from_zero_to_the_last_exact_integer(ingest: RunningIngest, revision: int) -> None:
    assert (await ingest.send(answer() | {"revision": revision})).status_code == 202
    assert ingest.events()[0].revision == revision


async def test_the_last_of_two_equal_keys_counts(ingest: RunningIngest) -> None:
    body = msgspec.json.encode(answer(score=9)).replace(b'"score":9', b'"score":9,"score":2')
    assert (await ingest.send(body)).status_code == 202
    assert b'"score":2.0' in bytes(ingest.events()[0].data)
