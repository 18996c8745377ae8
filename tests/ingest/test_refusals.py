"""Every event that cannot be taken is refused with its field, a code and the remedy; nothing of it is kept."""

from typing import Any

import msgspec
import pytest

from tests.ingest.running import RunningIngest, answer, assert_problem, event

PROMISED = event("delivery.promised.v1", order_id="o", promised_date="2026-11-22")


def changed(sent: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return sent | attributes


def without(sent: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in sent.items() if key != name}


def in_json(score: bytes) -> bytes:
    """An answer whose score is written so."""
    return msgspec.json.encode(answer(score=777)).replace(b"777", score)


CASES: dict[str, tuple[Any, str, str]] = {
    "no id": (without(answer(), "id"), "id", "missing"),
    "no source": (without(answer(), "source"), "source", "missing"),
    "no type": (without(answer(), "type"), "type", "missing"),
    "no data": (without(answer(), "data"), "data", "missing"),
    "no specversion": (without(answer(), "specversion"), "specversion", "missing"),
    "empty id": (changed(answer(), id=""), "id", "length"),
    "long id": (changed(answer(), id="x" * 257), "id", "length"),
    "id with newline": (changed(answer(), id="a\nb"), "id", "control_character"),
    "id ends with newline": (changed(answer(), id="a\n"), "id", "control_character"),
    "id a number": (changed(answer(), id=7), "id", "wrong_type"),
    "source with NUL": (changed(answer(), source="a\0"), "source", "control_character"),
    "other specversion": (changed(answer(), specversion="0.3"), "specversion", "unknown_version"),
    "unknown type": (changed(answer(), type="feedback.received.v9"), "type", "unknown_type"),
    "type of another service": (changed(answer(), type="feedback.scored.v1"), "type", "unknown_type"),
    "follow-up type": (changed(answer(), type="followup.opened.v1"), "type", "unknown_type"),
    "data a list": (changed(answer(), data=[]), "data", "wrong_type"),
    "data null": (changed(answer(), data=None), "data", "wrong_type"),
    "data in base64": (without(answer(), "data") | {"data_base64": "e30="}, "data", "missing"),
    "revision a string": (changed(answer(), revision="1"), "revision", "wrong_type"),
    "revision true": (changed(answer(), revision=True), "revision", "wrong_type"),
    "revision 7.0": (changed(answer(), revision=7.0), "revision", "wrong_type"),
    "revision -1": (changed(answer(), revision=-1), "revision", "out_of_range"),
    "revision 2^53": (changed(answer(), revision=2**53), "revision", "out_of_range"),
    "time without offset": (changed(answer(), time="2026-11-20T10:00:00"), "time", "no_offset"),
    "time a number": (changed(answer(), time=1), "time", "wrong_type"),
    "time a date": (changed(answer(), time="2026-11-20"), "time", "not_a_time"),
    "time no day": (changed(answer(), time="2026-02-30T10:00:00Z"), "time", "not_a_time"),
    "time year 1": (changed(answer(), time="0001-01-01T00:00:00+14:00"), "time", "out_of_range"),
    "time year 9999": (changed(answer(), time="9999-12-31T23:59:59-14:00"), "time", "out_of_range"),
    "time 1969": (changed(answer(), time="1969-12-31T23:59:59Z"), "time", "out_of_range"),
    "time over a day ahead": (changed(answer(), time="2026-11-21T12:00:01Z"), "time", "out_of_range"),
    "score 11": (answer(score=11), "data.score", "out_of_range"),
    "score -1": (answer(score=-1), "data.score", "out_of_range"),
    "score missing": (answer(score=None), "data.score", "missing"),
    "score null": (in_json(b"null"), "data.score", "missing"),
    "score a string": (answer(score="7"), "data.score", "wrong_type"),
    "score true": (answer(score=True), "data.score", "wrong_type"),
    "score 7.5 in NPS": (answer(score=7.5), "data.score", "not_whole"),
    "score NaN": (in_json(b"NaN"), "data.score", "not_finite"),
    "score Infinity": (in_json(b"Infinity"), "data.score", "not_finite"),
    "score -Infinity": (in_json(b"-Infinity"), "data.score", "not_finite"),
    "score 1e400": (in_json(b"1e400"), "data.score", "out_of_range"),
    "score of 4301 digits": (in_json(b"9" * 4301), "data.score", "out_of_range"),
    "score of 30 digits": (in_json(b"9" * 30), "data.score", "out_of_range"),
    "NaN in an unknown field": (
        in_json(b'1,"extra":{"list":[0,NaN]}'),
        "data.extra.list[1]",
        "not_finite",
    ),
    "unknown metric": (answer(metric="happiness"), "data.metric", "unknown_value"),
    "score too precise": (answer(metric="csat", score=3.14), "data.score", "too_precise"),
    "comment with a score": (answer(metric="comment", score=3), "data.score", "not_allowed"),
    "NPS on another scale": (answer(score=3, scale_max=5), "data.scale_max", "fixed_scale"),
    "upside-down scale": (answer(metric="csat", scale_min=5, scale_max=1), "data.scale_max", "out_of_range"),
    "NUL in the text": (answer(text="a\0b"), "data.text", "control_character"),
    "half a surrogate pair": (in_json(b'1,"text":"a\\ud800"'), "data.text", "not_unicode"),
    "half a pair before text": (in_json(b'1,"text":"\\udc00 and more text"'), "data.text", "not_unicode"),
    "half a pair in a key": (in_json(b'1,"\\ud800":1'), "data", "not_unicode"),
    "long name": (answer(store="x" * 257), "data.store", "length"),
    "store with control": (answer(store="a\u009fb"), "data.store", "control_character"),
    "update without feedback_id": (answer() | {"type": "feedback.updated.v1"}, "data.feedback_id", "missing"),
    "update without revision": (answer(feedback_id="f") | {"type": "feedback.updated.v1"}, "revision", "missing"),
    "update with revision 0": (
        answer(feedback_id="f") | {"type": "feedback.updated.v1", "revision": 0},
        "revision",
        "out_of_range",
    ),
    "retraction without anything": (event("feedback.retracted.v1"), "data.feedback_id", "missing"),
    "retraction without revision": (event("feedback.retracted.v1", feedback_id="f"), "revision", "missing"),
    "promise of nothing": (event("delivery.promised.v1", order_id="o"), "data.promised_date", "missing"),
    "promised on no day": (
        event("delivery.promised.v1", order_id="o", promised_date="2026-13-01"),
        "data.promised_date",
        "not_a_time",
    ),
    "promised in 2999": (
        event("delivery.promised.v1", order_id="o", promised_date="2999-01-01"),
        "data.promised_date",
        "out_of_range",
    ),
    "completed without offset": (
        event("delivery.completed.v1", order_id="o", completed_at="2026-11-20T10:00:00"),
        "data.completed_at",
        "no_offset",
    ),
    "money in halves": (
        event("order.placed.v1", order_id="o", total={"amount": 1.5, "currency": "PLN"}),
        "data.total.amount",
        "wrong_type",
    ),
    "money without currency": (
        event("order.placed.v1", order_id="o", total={"amount": 1}),
        "data.total.currency",
        "missing",
    ),
    "currency in small letters": (
        event("order.placed.v1", order_id="o", items=[{}, {"price": {"amount": 1, "currency": "pln"}}]),
        "data.items[1].price.currency",
        "not_a_currency",
    ),
    "reply by nobody known": (
        event("contact.replied.v1", contact_id="c", by="bot", public=True),
        "data.by",
        "unknown_value",
    ),
    "public as a number": (
        event("contact.replied.v1", contact_id="c", by="agent", public=1),
        "data.public",
        "wrong_type",
    ),
    "negative wait": (
        event("call.ended.v1", call_id="c", outcome="answered", wait_seconds=-1),
        "data.wait_seconds",
        "out_of_range",
    ),
    "an event that is a list in JSON": (b"7", "event", "wrong_type"),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_wrong_event_is_422_with_its_field(ingest: RunningIngest, case: str) -> None:
    sent, field, code = CASES[case]
    body = assert_problem(await ingest.send(sent), 422, "invalid_event")
    [error] = body["errors"]
    assert (error["index"], error["field"], error["code"]) == (0, field, code), error
    assert body["detail"] == f"{field}: {error['message']}"
    assert ingest.events() == ingest.events("petla.activity") == []


@pytest.mark.parametrize("case", CASES)
async def test_in_a_batch_it_is_the_same_and_costs_the_others_nothing(ingest: RunningIngest, case: str) -> None:
    sent, field, code = CASES[case]
    document = sent if isinstance(sent, bytes) else msgspec.json.encode(sent)
    response = await ingest.send(b"[" + document + b",\n" + msgspec.json.encode(answer("good")) + b" ]")
    assert response.status_code == 207, response.text
    wrong, good = response.json()["items"]
    assert (wrong["status"], wrong["field"], wrong["code"]) == ("rejected", field, code)
    assert (good["status"], good["index"]) == ("accepted", 1)
    assert [kept.id for kept in ingest.events()] == ["r-good"]


DEEP = b'{"data":' + b"[" * 100_000
NOT_JSON: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not_json"),
    "blank": (b" \n ", "not_json"),
    "cut off": (b'{"id": "a"', "not_json"),
    "a brace": (b"{", "not_json"),
    "text": (b"hello", "not_json"),
    "two events": (msgspec.json.encode(answer()) * 2, "not_json"),
    "single quotes": (b"{'id': 1}", "not_json"),
    "raw control character": (in_json(b'1,"text":"a\x00b"'), "not_json"),
    "hexadecimal": (in_json(b"0x1"), "not_json"),
    "wrong kind before it breaks": (b'{"id": 7, oops', "not_json"),
    "UTF-16": (msgspec.json.encode(answer()).decode().encode("utf-16"), "not_utf8"),
    "UTF-16 without mark": (msgspec.json.encode(answer()).decode().encode("utf-16-le"), "not_json"),
    "byte order mark": (b"\xef\xbb\xbf" + msgspec.json.encode(answer()), "not_utf8"),
    "invalid UTF-8": (in_json(b'1,"text":"\xff"'), "not_utf8"),
    "invalid UTF-8 in an unknown field": (in_json(b'1,"extra":"\xff"'), "not_utf8"),
    "overlong": (in_json(b'1,"text":"\xc0\x80"'), "not_utf8"),
    "surrogate in UTF-8": (in_json(b'1,"extra":"\xed\xa0\x80"'), "not_utf8"),
    "depth 100,000": (DEEP, "too_deep"),
    "depth 100,000, closed": (DEEP + b"]" * 100_000 + b"}", "too_deep"),
    "depth 33": (in_json(b'1,"extra":' + b"[" * 31 + b"]" * 31), "too_deep"),
}


@pytest.mark.parametrize("case", NOT_JSON)
async def test_what_is_not_json_is_400(ingest: RunningIngest, case: str) -> None:
    sent, code = NOT_JSON[case]
    body = assert_problem(await ingest.send(sent), 400, code)
    assert len(body["detail"]) < 300
    assert ingest.events() == []


@pytest.mark.parametrize("case", sorted(NOT_JSON.keys() - {"empty", "blank"}))
async def test_a_line_that_is_not_json_is_a_rejected_item(ingest: RunningIngest, case: str) -> None:
    sent, code = NOT_JSON[case]
    response = await ingest.send(sent + b"\n" + msgspec.json.encode(answer("good")), "application/x-ndjson")
    assert response.status_code == 207, response.text
    assert response.json()["items"][0]["code"] == code
    assert [kept.id for kept in ingest.events()] == ["r-good"]


async def test_depth_32_is_taken_and_brackets_in_text_are_no_depth(ingest: RunningIngest) -> None:
    assert (await ingest.send(in_json(b'1,"extra":' + b"[" * 30 + b"]" * 30))).status_code == 202
    wide = b'1,"extra":[' + b",".join([b'{"a":[[]]}'] * 100) + b"]"
    assert (await ingest.send(in_json(wide))).status_code == 202
    assert (await ingest.send(answer(text='[[{{"\\"' * 50))).status_code == 202
    deep_in_a_batch = b"[" + in_json(b'1,"extra":' + b"[" * 30 + b"]" * 30) + b"]"
    assert (await ingest.send(deep_in_a_batch)).status_code == 202


async def test_a_refusal_says_what_to_change(ingest: RunningIngest) -> None:
    body = (await ingest.send(answer(score=11))).json()
    assert body["title"] == "Invalid event"
    assert body["detail"] == "data.score: 11 is above scale_max 10"
    body = (await ingest.send(answer(metric="happiness"))).json()
    assert body["detail"] == "data.metric: is not one of ces, comment, csat, nps, rating, recommend"
    body = (await ingest.send(changed(PROMISED, type="order.shipped.v1"))).json()
    assert "order.placed.v1" in body["detail"]
    body = (await ingest.send(changed(answer(), time="2026-11-20T10:00:00"))).json()
    assert body["detail"] == "time: has no offset: send a time like 2026-11-20T10:00:00+01:00"
    body = (await ingest.send(b'{"id": "a", }')).json()
    assert body["detail"].startswith("event: not JSON at byte 1")


async def test_a_refusal_repeats_nothing_that_a_customer_wrote(ingest: RunningIngest) -> None:
    for sent in (answer(score="Anna Nowak"), answer(metric="Anna Nowak"), changed(answer(), time="Anna Nowak")):
        assert "Nowak" not in (await ingest.send(sent)).text
    long_key = in_json(b'1,"' + b"k" * 100_000 + b'":NaN')
    assert len((await ingest.send(long_key)).content) < 2_000
