"""Batches: an answer for each event, all of the good ones or none of them on the log."""

from typing import get_args

import msgspec
import pytest

from services.ingest import answers, splitting
from services.ingest.admission import Admitted
from services.ingest.sent_event import MAX_EVENT_BYTES
from shared.events.envelope import fact_name
from shared.log.port import Durability
from tests.ingest.running import RunningIngest, answer, assert_problem

BATCH, LINES = "application/cloudevents-batch+json", "application/x-ndjson"


def lines(*events: object) -> bytes:
    return b"\n".join(msgspec.json.encode(event) for event in events)


async def test_an_array_is_answered_event_by_event(ingest: RunningIngest) -> None:
    response = await ingest.send([answer(1), answer(2)])
    assert response.status_code == 202
    body = response.json()
    assert (body["accepted"], body["rejected"]) == (2, 0)
    assert [(item["index"], item["status"], item["durability"]) for item in body["items"]] == [
        (0, "accepted", "local"),
        (1, "accepted", "local"),
    ]
    ids = {str(kept.factid) for kept in ingest.events()}
    assert {item["id"] for item in body["items"]} == ids
    assert (await ingest.send(answer(1))).json()["id"] == body["items"][0]["id"]


@pytest.mark.parametrize("media", [BATCH, f"{BATCH}; charset=UTF-8", "application/json"])
async def test_media_types_of_an_array(ingest: RunningIngest, media: str) -> None:
    assert (await ingest.send([answer(1)], media)).json()["accepted"] == 1


async def test_lines_are_events_and_blank_ones_are_nothing(ingest: RunningIngest) -> None:
    body = b"\n \r\n" + lines(answer(1), answer(2, score=11)) + b"\r\n\n" + lines(answer(3)) + b"\n\n"
    response = await ingest.send(body, LINES)
    assert response.status_code == 207
    assert [(item["index"], item["status"]) for item in response.json()["items"]] == [
        (0, "accepted"),
        (1, "rejected"),
        (2, "accepted"),
    ]
    assert {kept.id for kept in ingest.events()} == {"r-1", "r-3"}


def test_what_is_told_of_a_batch_is_the_same_text_however_it_is_made() -> None:
    admitted = [Admitted("feedback", b"", b"", fact_name(str(number))) for number in range(1000)]
    for durability in get_args(Durability):
        for count in (1, 2, 1000):
            some = admitted[:count]
            made, listed = answers.all_taken([one.fact for one in some], durability), answers.batch(some, durability)
            assert (made.status_code, made.body, made.traced) == (listed.status_code, listed.body, listed.traced)


async def test_an_event_that_is_as_large_as_one_may_be(ingest: RunningIngest) -> None:
    bare = msgspec.json.encode({**answer(1), "unknown": ""})
    largest = bare.replace(b'"unknown":""', b'"unknown":"%b"' % (b"x" * (MAX_EVENT_BYTES - len(bare))))
    for body, taken in ((largest, 1), (largest.replace(b"xx", b"xxx", 1), 0)):
        response = await ingest.send(b"\n".join((msgspec.json.encode(answer(2)), body, b"")), LINES)
        assert response.json()["accepted"] == 1 + taken


async def test_where_a_line_is_no_json_is_said_as_of_the_line(ingest: RunningIngest) -> None:
    body = b" " + lines(answer(1))[:-1] + b"\r\n" + lines(answer(2))
    response = await ingest.send(body, LINES)
    assert response.json()["items"][0]["message"] == f"not JSON at byte {len(lines(answer(1))) - 1}: " + (
        "Expecting ',' delimiter"
    )


async def test_three_bad_ones_of_a_thousand(ingest: RunningIngest) -> None:
    events = [answer(number, score=11 if number in (5, 500, 999) else 3) for number in range(1000)]
    before = ingest.log.appends
    response = await ingest.send(events)
    body = response.json()
    assert (response.status_code, body["accepted"], body["rejected"]) == (207, 997, 3)
    assert [item["index"] for item in body["items"] if item["status"] == "rejected"] == [5, 500, 999]
    assert ingest.log.appends == before + 1
    again = await ingest.send(events)
    assert again.json() == body
    assert len({kept.factid for kept in ingest.events()}) == 997


async def test_nothing_but_bad_ones_is_a_problem_with_items(ingest: RunningIngest) -> None:
    ingest.log.unavailable = "away"  # and the log is not asked
    body = assert_problem(await ingest.send([answer(1, score=11), answer(2, metric="x")]), 422, "invalid_event")
    assert (body["accepted"], body["rejected"]) == (0, 2)
    assert [error["index"] for error in body["errors"]] == [0, 1]
    assert body["items"][1] == {
        "index": 1,
        "status": "rejected",
        "field": "data.metric",
        "code": "unknown_value",
        "message": "is not one of ces, comment, csat, nps, rating, recommend",
    }


@pytest.mark.parametrize(
    ("body", "media"), [(b"[]", "application/json"), (b"[ ]", BATCH), (b"", LINES), (b"\n", LINES)]
)
async def test_an_empty_batch_is_422(ingest: RunningIngest, body: bytes, media: str) -> None:
    refused = assert_problem(await ingest.send(body, media), 422, "invalid_event")
    assert refused["errors"][0]["code"] == "empty_batch"


async def test_an_object_is_no_batch(ingest: RunningIngest) -> None:
    refused = assert_problem(await ingest.send(answer(), BATCH), 422, "invalid_event")
    assert refused["detail"] == "event: a batch is a JSON array of events"


@pytest.mark.parametrize("body", [b"[1, 2", b"[1,]", b"[,]", b"[{]", b"[1] 2", b'[{"score": NaN}] x', b"[" * 200_000])
async def test_an_array_that_is_not_json_is_400(ingest: RunningIngest, body: bytes) -> None:
    response = await ingest.send(body)
    assert response.status_code == 400
    assert response.json()["code"] in ("not_json", "too_deep")


@pytest.mark.parametrize("media", ["application/json", LINES])
async def test_a_thousand_events_and_no_more(ingest: RunningIngest, media: str) -> None:
    events = [answer(number) for number in range(1001)]
    body = lines(*events) if media == LINES else msgspec.json.encode(events)
    refused = assert_problem(await ingest.send(body, media), 413, "too_many")
    assert "1000" in refused["detail"]
    assert ingest.events() == []


@pytest.mark.parametrize("body", [b"[" + b"1," * 2_000_000 + b"1]", b"1\n" * 2_000_000])
async def test_millions_of_tiny_elements_are_not_made_into_objects(ingest: RunningIngest, body: bytes) -> None:
    media = "application/json" if body[:1] == b"[" else LINES
    assert_problem(await ingest.send(body, media), 413, "too_many")


async def test_many_commas_are_no_crime(ingest: RunningIngest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "_MANY_COMMAS", 10)
    events = [answer(number, text="one, two, three, [four], \"five\", 'six'") for number in range(20)]
    body = msgspec.json.format(msgspec.json.encode(events))
    assert (await ingest.send(body)).json()["accepted"] == 20


async def test_a_large_event_costs_the_others_nothing(ingest: RunningIngest) -> None:
    events = [answer(1), answer(2, text="x" * 199_000, extra="y" * 80_000), answer(3)]
    response = await ingest.send(events)
    assert response.status_code == 207
    assert [item.get("code") for item in response.json()["items"]] == [None, "too_large", None]


async def test_a_batch_that_cannot_be_kept_is_503_as_a_whole(ingest: RunningIngest) -> None:
    ingest.log.unavailable = "the disk is full"
    response = await ingest.send([answer(1), answer(2, score=11)])
    assert_problem(response, 503, "log_unavailable")
    assert int(response.headers["retry-after"]) > 0
    ingest.log.unavailable = None
    assert (await ingest.send([answer(1), answer(2, score=11)])).status_code == 207


async def test_invalid_utf8_in_an_array_is_400_and_in_a_line_an_item(ingest: RunningIngest) -> None:
    bad = msgspec.json.encode(answer(1, text="QQ")).replace(b"QQ", b"\xff")
    assert_problem(await ingest.send(b"[" + bad + b"]"), 400, "not_utf8")
    response = await ingest.send(bad + b"\n" + lines(answer(2)), LINES)
    assert [item.get("code") for item in response.json()["items"]] == ["not_utf8", None]
