"""Which forms of events are taken, and what is said of the others."""

from typing import Any

import msgspec
import pytest

from tests.ingest.running import RunningIngest, answer, assert_problem

DATA = msgspec.json.encode(answer()["data"])
HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "r-1",
    "ce-source": "/survey",
    "ce-type": "feedback.received.v1",
}


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json;profile=x",
        "application/cloudevents+json",
        "application/cloudevents+json; charset=UTF-8",
    ],
)
async def test_one_object(ingest: RunningIngest, media: str) -> None:
    response = await ingest.send(answer(), media)
    assert response.status_code == 202
    assert set(response.json()) == {"id", "durability"}


async def test_an_array_is_no_structured_event(ingest: RunningIngest) -> None:
    body = assert_problem(await ingest.send([answer()], "application/cloudevents+json"), 422, "invalid_event")
    assert body["detail"] == "event: must be an object, not a list"


@pytest.mark.parametrize(
    ("media", "code"),
    [
        (None, "media_type"),
        ("", "media_type"),
        ("text/plain", "media_type"),
        ("application/xml", "media_type"),
        ("application/cloudevents+avro", "media_type"),
        ("application/x-www-form-urlencoded", "media_type"),
        ("application/json; charset=iso-8859-2", "charset"),
        ("application/x-ndjson; charset=utf-16", "charset"),
    ],
)
async def test_other_media_types_are_415(ingest: RunningIngest, media: str | None, code: str) -> None:
    assert_problem(await ingest.send(msgspec.json.encode(answer()), media), 415, code)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "x-unknown", "GZIP"])
async def test_a_compressed_body_is_415(ingest: RunningIngest, encoding: str) -> None:
    response = await ingest.send(b"\x1f\x8b\x08\x00", headers={"Content-Encoding": encoding})
    assert_problem(response, 415, "content_encoding")


async def test_identity_is_no_encoding(ingest: RunningIngest) -> None:
    assert (await ingest.send(answer(), headers={"Content-Encoding": "identity"})).status_code == 202


@pytest.mark.parametrize("media", ["application/json", None])
async def test_attributes_may_stand_in_headers(ingest: RunningIngest, media: str | None) -> None:
    headers = {**HEADERS, "ce-time": "2026-11-20T10:00:00Z", "ce-revision": "7", "ce-subject": "ignored"}
    response = await ingest.send(DATA, media, headers=headers)
    assert response.status_code == 202
    [kept] = ingest.events()
    assert (kept.id, kept.source, kept.revision, kept.time.hour) == ("r-1", "/survey", 7, 10)
    structured = await ingest.send(answer() | {"revision": 7})
    assert structured.json() == response.json()


async def test_the_media_type_of_a_structured_event_goes_before_headers(ingest: RunningIngest) -> None:
    response = await ingest.send(answer(2), "application/cloudevents+json", headers=HEADERS)
    assert response.status_code == 202
    assert [kept.id for kept in ingest.events()] == ["r-2"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ('"quoted \\"id\\""', 'quoted "id"'),
        ("100%", "100%"),
        ("a%2Fb", "a/b"),
    ],
)
async def test_headers_are_percent_decoded(ingest: RunningIngest, header: str, expected: str) -> None:
    assert (await ingest.send(DATA, headers={**HEADERS, "ce-id": header})).status_code == 202
    assert ingest.events()[0].id == expected


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"ce-type": "nothing.v1"}, "type", "unknown_type"),
        ({"ce-specversion": "2.0"}, "specversion", "unknown_version"),
        ({"ce-id": "%FF"}, "id", "not_percent_encoded"),
        ({"ce-id": "a%0Ab"}, "id", "control_character"),
        ({"ce-id": "x" * 257}, "id", "length"),
        ({"ce-source": ""}, "source", "missing"),
        ({"ce-time": "1700000000"}, "time", "not_a_time"),
        ({"ce-time": "2026-11-20T10:00:00"}, "time", "no_offset"),
        ({"ce-revision": "1.0"}, "revision", "wrong_type"),
        ({"ce-revision": "-1"}, "revision", "wrong_type"),
        ({"ce-revision": "9007199254740992"}, "revision", "out_of_range"),
        ({"ce-revision": "9" * 5000}, "revision", "wrong_type"),
    ],
)
async def test_wrong_headers_are_422_with_their_attribute(
    ingest: RunningIngest, changed: dict[str, str], field: str, code: str
) -> None:
    body = assert_problem(await ingest.send(DATA, headers=HEADERS | changed), 422, "invalid_event")
    assert (body["errors"][0]["field"], body["errors"][0]["code"]) == (field, code)


@pytest.mark.parametrize(
    ("data", "status", "field", "code"),
    [
        (b'{"metric":"nps","score":NaN}', 422, "data.score", "not_finite"),
        (b'{"metric":"nps","score":"3"}', 422, "data.score", "wrong_type"),
        (b'{"metric":"nps"', 400, "event", "not_json"),
        (b"", 400, "event", "not_json"),
        (b"[]", 422, "data", "wrong_type"),
        (b'{"metric":"nps","text":"\xff"}', 400, "event", "not_utf8"),
        (b"[" * 50 + b"]" * 50, 400, "event", "too_deep"),
    ],
)
async def test_the_body_of_the_binary_mode_is_as_strict(
    ingest: RunningIngest, data: bytes, status: int, field: str, code: str
) -> None:
    response = await ingest.send(data, headers=HEADERS)
    error: dict[str, Any] = response.json()["errors"][0]
    assert (response.status_code, error["field"], error["code"]) == (status, field, code)
