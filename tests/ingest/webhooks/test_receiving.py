"""A delivery is verified, becomes events, and is on the log with its record before its sender is answered."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.ingest.limits import MAX_BODY_BYTES_AT_ONCE
from shared.config import ConfigStore
from shared.events.raw import unpacked
from shared.log.port import LogUnavailable, Overloaded
from shared.log.spilling import SpillingLog
from tests.ingest.running import assert_problem
from tests.ingest.webhooks.doors import BODY, REPAIRS, SECRET, Doors, signature

CHANGED_MS = 1_795_165_200_000  # 2026-11-20T10:00:00+01:00, by `date -d … +%s`


async def test_a_delivery_becomes_the_events_that_its_document_says(doors: Doors) -> None:
    response = await doors.deliver()
    assert (response.status_code, response.content) == (202, b"")
    events = {event.id: event for event in doors.events()}
    assert sorted(events) == ["4711-q1", "4711-q2"]
    data = json.loads(bytes(events["4711-q1"].data))
    assert {
        name: data.get(name) for name in ("metric", "score", "text", "customer", "touchpoint", "submission_id")
    } == {
        "metric": "csat",
        "score": 2.0,
        "text": "Za długo",
        "customer": "9",
        "touchpoint": "repair",
        "submission_id": "4711",
    }
    for event in events.values():
        assert (event.sender, event.source, event.type) == ("repairs", "/repairs", "feedback.received.v1")
        assert event.revision == CHANGED_MS * 1000 + 1
        assert event.time.isoformat() == "2026-11-20T10:00:00+01:00"


async def test_its_record_says_what_became_of_it(doors: Doors) -> None:
    await doors.deliver(headers={"X-Topic": "rated", "Authorization": "Basic c2VjcmV0", "Cookie": "a=b"})
    [event], [record] = doors.raw(), doors.deliveries()
    assert (event.type, event.source, event.sender) == ("webhook.received.v1", "/webhooks/repairs", "repairs")
    assert (record.source, record.version, record.outcome, record.status) == ("repairs", 1, "accepted", 202)
    assert record.body is not None
    assert json.loads(unpacked(record.body)) == BODY
    assert record.size == len(json.dumps(BODY))
    assert record.url == "https://petla.example.com/webhooks/repairs"
    assert record.headers["x-topic"] == "rated"
    facts = {event.factid for event in doors.events()}
    assert {emitted.fact for emitted in record.events} == facts
    kept = json.dumps(record.headers)
    assert not [word for word in ("secret", "c2VjcmV0", "a=b", signature(json.dumps(BODY).encode())) if word in kept]


async def test_events_and_record_are_one_append(doors: Doors) -> None:
    before = doors.log.appends
    await doors.deliver()
    assert doors.log.appends == before + 1


async def test_copies_have_one_name_and_one_content(doors: Doors) -> None:
    for _ in range(3):
        assert (await doors.deliver()).status_code == 202
    assert len({record.delivery for record in doors.deliveries()}) == 1
    assert len({event.id for event in doors.raw()}) == 3
    assert len({(event.factid, event.revision, bytes(event.data)) for event in doors.events()}) == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"event": "repair.booked"}, "no_rule"), ({"internal": True}, "internal_note"), ({"answers": []}, "no_rule")],
)
async def test_what_nobody_maps_is_taken_and_counted(doors: Doors, change: dict[str, Any], reason: str) -> None:
    assert (await doors.deliver({**BODY, **change})).status_code == 202
    [record] = doors.deliveries()
    assert (record.outcome, record.reason) == ("ignored", reason)
    assert not doors.events()


async def test_one_answer_at_fault_costs_only_itself(doors: Doors) -> None:
    answers = [{"question": "q1", "stars": 9}, {"question": "q2", "stars": 4}, {"question": 7, "stars": 4}]
    assert (await doors.deliver({**BODY, "answers": answers})).status_code == 202
    [record] = doors.deliveries()
    assert [event.name for event in record.events] == ["4711-q2"]
    assert record.errors == {"out_of_range": 1, "mapping_failed": 1}
    assert record.message is not None
    assert "join()" in record.message


async def test_a_mapping_that_fails_is_answered_2xx_because_it_can_be_mended(doors: Doors) -> None:
    assert (await doors.deliver({**BODY, "changed": "yesterday"})).status_code == 202
    [record] = doors.deliveries()
    assert (record.outcome, record.reason, bool(record.body)) == ("rejected", "mapping_failed", True)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"x-repair-signature": "sha256=" + "0" * 64}, "bad_signature"),
        ({"x-repair-signature": "sha256="}, "unreadable_signature"),
        ({"x-repair-signature": "sha256=żółw"}, "unreadable_signature"),
        ({"x-repair-signature": "sha256=\udcff"}, "unreadable_signature"),
        ({"x-repair-signature": "sha1=" + "0" * 64}, "unreadable_signature"),
        ({"x-repair-signature": "\x80\xff"}, "unreadable_signature"),
        ({"x-repair-signature": "sha256=" + "0" * 100_000}, "unreadable_signature"),
        ({"x-repair-signature": ""}, "no_signature"),
        ({"x-repair-signature": "v1,v1,v1"}, "unreadable_signature"),
    ],
)
async def test_whatever_the_signature_holds_it_is_401(doors: Doors, headers: dict[str, str], reason: str) -> None:
    raw = {name: value.encode("utf-8", "surrogateescape") for name, value in headers.items()}
    assert_problem(await doors.deliver(headers=raw), 401, reason)  # type: ignore[arg-type]
    assert not doors.events()
    [record] = doors.deliveries()
    assert (record.outcome, record.reason, record.body, record.headers) == ("rejected", reason, None, {})


async def test_a_body_altered_by_one_space_is_not_the_senders(doors: Doors) -> None:
    content = json.dumps(BODY).encode()
    response = await doors.deliver(content + b" ", {"x-repair-signature": f"sha256={signature(content)}"})
    assert_problem(response, 401, "bad_signature")


async def test_a_source_without_a_secret_takes_nothing(doors: Doors) -> None:
    await doors.add("other", REPAIRS.replace("source: repairs", "source: other"))
    assert_problem(await doors.deliver(source="other", secret=""), 401, "no_secret")


@pytest.mark.parametrize("name", ["unknown", "repairs/more", "REPAIRS", "", "..", "%00", "a" * 500])
async def test_an_unknown_source_is_404(doors: Doors, name: str) -> None:
    assert (await doors.deliver(source=name)).status_code == 404
    assert not doors.deliveries()


async def test_strangers_cannot_fill_the_log(doors: Doors) -> None:
    for _ in range(60):
        await doors.deliver(secret="wrong")
    assert len(doors.deliveries()) == 20


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[" * 100_000, 400, "too_deep"),
        (b'{"a":' * 50_000, 400, "too_deep"),
        (b'{"a": NaN}', 400, "not_finite"),
        (b'{"a": 1e400}', 400, "out_of_range"),
        (b'{"a": "\\ud800"}', 400, "not_unicode"),
        (b'{"a": "\xff"}', 400, "not_utf8"),
        (b"\xef\xbb\xbf{}", 400, "not_utf8"),
        ('{"a": 1}'.encode("utf-16"), 400, "not_utf8"),
        (b"", 400, "not_json"),
        (b"{", 400, "not_json"),
        (b"1" * 4_301, 400, "out_of_range"),
        (b"x" * (512 * 1024 + 1), 413, "too_large"),
    ],
)
async def test_a_signed_bomb_is_refused_by_name(doors: Doors, body: bytes, status: int, code: str) -> None:
    assert_problem(await doors.deliver(body), status, code)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"text"',
        b"17",
        b'{"root": 1, "item": 2, "headers": 3, "query": 4}',
        json.dumps({**BODY, "answers": "none"}).encode(),
        json.dumps({**BODY, "answers": [None, 1, "x", []]}).encode(),
        json.dumps({**BODY, "repair": {"number": 10**25}}).encode(),
        json.dumps({**BODY, "repair": {"number": "a\x00b"}}).encode(),
        json.dumps({**BODY, "answers": [{"question": "q", "stars": 3}] * 2_000}).encode(),
        json.dumps({**BODY, "answers": [{"question": "q\ud83d\ude00", "stars": -0.0}]}).encode(),
        json.dumps({"event": "repair.rated", "extra": {str(n): n for n in range(20_000)}}).encode(),
        b'{"event": "a", "event": "repair.rated", "__proto__": {}}',
    ],
)
async def test_any_json_of_the_sender_is_answered_2xx(doors: Doors, body: bytes) -> None:
    assert (await doors.deliver(body)).status_code == 202
    assert len(doors.deliveries()) == 1


async def test_a_log_that_is_away_is_503_with_a_time(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    doors.log.unavailable = "away"
    response = await doors.deliver()
    assert_problem(response, 503, "log_unavailable")
    assert response.headers["retry-after"] == "5"
    doors.log.unavailable = None

    async def full(records: Any) -> None:
        raise Overloaded("full")

    monkeypatch.setattr(doors.log, "append", full)
    response = await doors.deliver()
    assert_problem(response, 503, "overloaded")
    assert response.headers["retry-after"] == "1"
    assert issubclass(Overloaded, LogUnavailable)


async def test_a_sender_that_sends_too_much_waits_alone() -> None:
    doors = Doors({"PETLA_SOURCE_REPAIRS_SECRET": SECRET, "PETLA_SOURCE_OTHER_SECRET": SECRET}, per_second=3)
    await doors.start()
    await doors.add("repairs")
    await doors.add("other", REPAIRS.replace("source: repairs", "source: other"))
    statuses = [(await doors.deliver()).status_code for _ in range(4)]
    assert statuses == [202, 202, 202, 429]
    assert (await doors.deliver()).headers["retry-after"] == "1"
    assert (await doors.deliver(source="other")).status_code == 202
    await doors.stop()


async def test_the_handshake_of_a_stranger_is_answered(doors: Doors) -> None:
    hello = await doors.deliver({"event": "hello", "challenge": "abc"}, {"x-repair-signature": ""})
    assert (hello.status_code, hello.text, hello.headers["x-content-type-options"]) == (200, "abc", "nosniff")
    assert (await doors.deliver(b"", {"x-repair-signature": ""}, method="HEAD")).status_code == 204
    assert not doors.deliveries()


async def test_a_verified_handshake_is_only_the_senders(doors: Doors) -> None:
    asked = {"event": "prove", "challenge": "abc"}
    proved = await doors.deliver(asked)
    assert (proved.json(), proved.headers["x-echo"]) == ({"challenge": "abc"}, "abc")
    assert_problem(await doors.deliver(asked, secret="wrong"), 401, "bad_signature")
    split = await doors.deliver({"event": "prove", "challenge": "a\r\nSet-Cookie: b=c"})
    assert "set-cookie" not in split.headers


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405(doors: Doors, method: str) -> None:
    response = await doors.deliver(method=method)
    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "HEAD, POST"


async def test_a_compressed_body_is_415(doors: Doors) -> None:
    assert_problem(await doors.deliver(headers={"Content-Encoding": "gzip"}), 415, "content_encoding")


async def test_a_changed_document_is_in_force_at_once(doors: Doors) -> None:
    await doors.deliver()
    await doors.add("repairs", REPAIRS.replace("'csat'", "'rating'"), version=2)
    await doors.deliver()
    revisions = sorted({event.revision - CHANGED_MS * 1000 for event in doors.events()})
    assert revisions == [1, 2]
    await doors.config.put("source/repairs", {"version": 3, "deleted": True})
    assert (await doors.deliver()).status_code == 404


async def test_under_the_services_name_it_is_the_same(doors: Doors) -> None:
    """As the shared port and the proxy pass it on."""
    from services.dispatch import Dispatch
    from tests.asgi import request

    app = Dispatch({"ingest": doors.service})
    content = json.dumps(BODY).encode()
    headers = {"x-repair-signature": f"sha256={signature(content)}"}
    for path in ("/webhooks/repairs", "/ingest/webhooks/repairs"):
        assert (await request(app, "POST", path, content=content, headers=headers)).status_code == 202
    assert {record.url for record in doors.deliveries()} == {"https://petla.example.com/webhooks/repairs"}


async def test_with_the_broker_away_it_is_kept_here_and_sent_later(tmp_path: Path) -> None:
    doors = Doors({"PETLA_SOURCE_REPAIRS_SECRET": SECRET})
    await doors.start()
    await doors.add("repairs")
    spilling = SpillingLog(doors.log, tmp_path, doors.clock)
    doors.serve_on(spilling)
    doors.log.unavailable = "silent"
    assert (await doors.deliver()).status_code == 202
    assert not doors.events()
    doors.log.unavailable = None
    await spilling.forward_once()
    assert len(doors.events()) == 2
    assert len(doors.deliveries()) == 1
    await spilling.close()
    await doors.stop()


async def test_two_instances_take_one_delivery_a_hundred_times_as_one(doors: Doors) -> None:
    """I-08: the same at once to two processes that share nothing but the log."""
    other = Doors({"PETLA_SOURCE_REPAIRS_SECRET": SECRET})
    other.log, other.config = doors.log, doors.config
    other.serve_on(doors.log)
    answers = await asyncio.gather(*((doors if at % 2 else other).deliver() for at in range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({(event.factid, event.revision, bytes(event.data)) for event in doors.events()}) == 2
    assert len({record.delivery for record in doors.deliveries()}) == 1


async def test_a_body_without_a_length_is_cut_off_at_the_cap(doors: Doors) -> None:
    """I-11: chunks without end, whatever the header says."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 64 * 1024
            yield b"x" * 64 * 1024

    assert_problem(await doors.request("POST", "/webhooks/repairs", content=endless()), 413, "too_large")
    assert sent < 1024 * 1024
    assert_problem(
        await doors.request("POST", "/webhooks/repairs", content=b"{}", headers={"content-length": "999999999"}),
        413,
        "too_large",
    )


async def test_while_sources_are_not_known_nobody_is_sent_away(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConfigStore, "is_complete", False)
    assert (await doors.deliver()).status_code == 202
    for response in (await doors.deliver(source="unknown"), await doors.deliver(secret="new")):
        assert_problem(response, 503, "sources_unknown")
        assert response.headers["retry-after"] == "5"


async def test_a_parameter_that_is_a_secret_is_not_recorded(doors: Doors) -> None:
    content = json.dumps(BODY).encode()
    headers = {"x-repair-signature": f"sha256={signature(content)}"}
    path = "/webhooks/repairs?shop=1&token=abc&api_key=def&Secret=ghi&code=2"
    assert (await doors.request("POST", path, content=content, headers=headers)).status_code == 202
    assert [record.url for record in doors.deliveries()] == ["https://petla.example.com/webhooks/repairs?shop=1&code=2"]


async def test_a_strangers_long_body_is_no_handshake(doors: Doors) -> None:
    asked = {"event": "hello", "challenge": "abc", "more": "x" * 17_000}
    assert_problem(await doors.deliver(asked, {"x-repair-signature": ""}), 401, "no_signature")


async def test_the_room_of_a_body_is_given_back(doors: Doors) -> None:
    """All of them together are more than may be read at once."""
    body = b"x" * 512 * 1024
    headers = {"x-repair-signature": f"sha256={signature(body)}", "content-type": "application/json"}
    statuses = [
        (await doors.request("POST", "/webhooks/repairs", content=body, headers=headers)).status_code
        for _ in range(MAX_BODY_BYTES_AT_ONCE // len(body) + 2)
    ]
    assert set(statuses) == {400}


async def test_a_stranger_is_told_so_also_while_the_log_is_away(doors: Doors) -> None:
    doors.log.unavailable = "away"
    assert_problem(await doors.deliver(secret="wrong"), 401, "bad_signature")
