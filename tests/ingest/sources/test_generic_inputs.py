"""CloudEvents of any mode, Standard Webhooks, and plain JSON with one of Pętla's keys."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from tests.ingest.running import ARRIVAL, answer, assert_problem
from tests.ingest.sources.mapped import events, judged, sample, samples
from tests.ingest.webhooks.doors import Doors

ANSWER = {"metric": "nps", "score": 3, "customer": "c-1"}
EVENT = {
    "specversion": "1.0",
    "type": "feedback.received.v1",
    "source": "/crm/ankiety",
    "id": "a-1",
    "time": "2026-11-20T10:00:00+01:00",
    "data": ANSWER,
}
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
BINARY = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    running = Doors({"PETLA_SOURCE_STANDARD_WEBHOOKS_SECRET": SECRET})
    await running.start()
    yield running
    await running.stop()


async def post(doors: Doors, source: str, body: Any, headers: Mapping[str, str]) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", **headers}
    return await doors.request("POST", f"/webhooks/{source}", content=content, headers=sent)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (EVENT, {"content-type": "application/cloudevents+json; charset=UTF-8"}),
        ([EVENT], {"content-type": "application/cloudevents-batch+json"}),
        (EVENT, {}),
        (ANSWER, BINARY),
        (ANSWER, {**BINARY, "ce-source": "/crm/%61nkiety", "ce-id": '"a-1"'}),
    ],
)
def test_a_cloud_event_is_one_in_every_mode(body: Any, headers: Mapping[str, str]) -> None:
    judgement = judged("cloudevents", body, headers)
    assert events(judgement) == [
        {
            "type": "feedback.received.v1",
            "id": "a-1",
            "time": "2026-11-20T10:00:00+01:00",
            "data": {"metric": "nps", "score": 3.0, "scale_min": 0.0, "scale_max": 10.0, "feedback_id": "a-1"}
            | {"customer": "c-1"},
            "revision": 1,
        }
    ]
    assert [made.event["source"] for made in judgement.made] == ["/crm/ankiety"]


@pytest.mark.parametrize("name", samples("cloudevents"))
def test_the_examples_of_the_specification_are_of_types_that_nobody_has(name: str) -> None:
    headers, body = sample("cloudevents", name)
    judgement = judged("cloudevents", body, headers, media=headers.get("Content-Type", "application/json"))
    assert (judgement.outcome, judgement.reason) == ("ignored", "unknown_type")


@pytest.mark.parametrize("missing", ["specversion", "type", "source", "id"])
def test_what_a_cloud_event_must_have_is_not_made_up(missing: str) -> None:
    body = {name: value for name, value in EVENT.items() if name != missing}
    judgement = judged("cloudevents", body)
    assert (judgement.readable, judgement.outcome, judgement.errors) == (False, "rejected", {"missing": 1})


def test_of_a_batch_each_event_is_judged_alone() -> None:
    batch = [EVENT, {**EVENT, "id": "a-2", "data": {"metric": "nps", "score": 11}}, {**EVENT, "type": "com.example.x"}]
    judgement = judged("cloudevents", batch, {"content-type": "application/cloudevents-batch+json"})
    assert [made.emitted.name for made in judgement.made] == ["a-1"]
    assert (judgement.errors, judgement.ignored) == ({"out_of_range": 1}, {"unknown_type": 1})


def test_data_that_is_no_json_is_not_read() -> None:
    judgement = judged("cloudevents", b"<a/>", {**BINARY, "ce-type": "com.example.x"}, media="application/xml")
    assert judgement.ignored == {"unknown_type": 1}


async def test_whoever_wants_to_send_cloud_events_may_ask_first(doors: Doors) -> None:
    """HTTP 1.1 Web Hooks for Event Delivery, section 4.1 and 4.2."""
    asked = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    response = await doors.request("OPTIONS", "/webhooks/cloudevents", headers=asked)
    assert response.status_code == 200
    assert response.headers["webhook-allowed-origin"] == "eventemitter.example.com"
    assert response.headers["webhook-allowed-rate"] == "120"
    del asked["WebHook-Request-Rate"]
    assert (await doors.request("OPTIONS", "/webhooks/cloudevents", headers=asked)).headers[
        "webhook-allowed-rate"
    ] == "*"
    assert_problem(await doors.request("OPTIONS", "/webhooks/cloudevents"), 405, "method_not_allowed")
    assert_problem(await doors.request("OPTIONS", "/webhooks/generic", headers=asked), 405, "method_not_allowed")


@pytest.mark.parametrize("source", ["cloudevents", "generic"])
async def test_a_key_of_petla_lets_in(doors: Doors, source: str) -> None:
    basic = base64.b64encode(f"anyone:{doors.key}".encode()).decode()
    user = base64.b64encode(f"{doors.key}:".encode()).decode()
    for header in (
        {"authorization": f"Bearer {doors.key}"},
        {"authorization": f"Basic {basic}"},
        {"authorization": f"Basic {user}"},
        {"x-api-key": doors.key},
    ):
        assert (await post(doors, source, EVENT, header)).status_code == 202
    assert len({(event.factid, event.sender) for event in doors.events()}) == 1
    assert doors.key not in json.dumps([record.headers for record in doors.deliveries()])


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "no_signature"),
        ({"authorization": ""}, "no_signature"),
        ({"authorization": "Bearer petla_abcdef_x"}, "unknown_key"),
        ({"authorization": "Basic !!!"}, "unknown_key"),
        ({"authorization": "Basic"}, "unknown_key"),
        ({"authorization": "Digest x"}, "unknown_key"),
        ({"x-api-key": "\u00e9\u00ff"}, "unknown_key"),
    ],
)
async def test_another_key_does_not(doors: Doors, header: dict[str, str], code: str) -> None:
    raw = {name: value.encode("latin-1") for name, value in header.items()}
    assert_problem(await post(doors, "generic", EVENT, raw), 401, code)  # type: ignore[arg-type]


async def test_a_key_without_the_scope_does_not(doors: Doors) -> None:
    reader = await doors.new_key("bi", "metrics:read")
    assert_problem(await post(doors, "generic", EVENT, {"x-api-key": reader}), 401, "unknown_key")


async def test_keys_that_are_not_known_yet_are_503(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors.config, "_complete", False)
    response = await post(doors, "generic", EVENT, {"x-api-key": "petla_zzzzzz_x"})
    assert_problem(response, 503, "keys_unknown")
    assert response.headers["retry-after"]


def test_plain_json_is_one_event_or_a_list_of_them() -> None:
    one = {"type": "order.cancelled.v1", "id": "c-1", "revision": 7, "data": {"order_id": 9}}
    (made,) = events(judged("generic", one))
    assert (made["data"], made["revision"]) == ({"order_id": "9"}, 7001)
    assert len(judged("generic", [one, {**one, "id": "c-2"}]).made) == 2
    assert judged("generic", []).ignored == {"unknown_type": 1}


def signed(body: bytes, name: str = "msg_1", at: int | None = None, prefix: str = "webhook") -> dict[str, str]:
    """As standardwebhooks.com/spec has it: `id.timestamp.body` under the decoded secret."""
    stamp = str(int(ARRIVAL.timestamp()) if at is None else at)
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {f"{prefix}-id": name, f"{prefix}-timestamp": stamp, f"{prefix}-signature": signature}


@pytest.mark.parametrize("prefix", ["webhook", "svix"])
async def test_a_standard_webhook_is_taken(doors: Doors, prefix: str) -> None:
    body = json.dumps({"type": "feedback.received.v1", "timestamp": "2026-11-20T10:00:00Z", "data": ANSWER}).encode()
    assert (await post(doors, "standard-webhooks", body, signed(body, prefix=prefix))).status_code == 202
    (event,) = doors.events()
    assert (event.id, event.source, event.time.isoformat()) == (
        "msg_1",
        "/standard-webhooks",
        "2026-11-20T10:00:00+00:00",
    )


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 202), (299, 202), (301, 401)])
async def test_its_time_must_be_near(doors: Doors, seconds: int, status: int) -> None:
    """S-01: an old delivery sent again is not taken."""
    body = b'{"type": "contact.created", "data": {}}'
    headers = signed(body, at=int(ARRIVAL.timestamp()) + seconds)
    response = await post(doors, "standard-webhooks", body, headers)
    assert response.status_code == status
    if status == 401:
        assert_problem(response, 401, "stale_timestamp")


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_jumps_by_an_hour_loses_nothing(doors: Doors, hours: int) -> None:
    """I-28: what is signed with a time is refused by its own code, and comes again; all else is taken as before."""
    now, body = int(ARRIVAL.timestamp()), b'{"type": "contact.created", "data": {}}'
    doors.clock.jump(3600 * hours)
    assert_problem(await post(doors, "standard-webhooks", body, signed(body, at=now)), 401, "stale_timestamp")
    taken = [await doors.send(answer(name)) for name in ("before", "after")]
    taken.append(await doors.send({**answer("timed"), "time": ARRIVAL.isoformat()}))
    doors.clock.jump(-3600 * hours)
    taken.append(await doors.send(answer("mended")))
    assert [response.status_code for response in taken] == [202] * 4
    assert {event.id for event in doors.events()} == {"r-before", "r-after", "r-timed", "r-mended"}
    assert (await post(doors, "standard-webhooks", body, signed(body, at=now))).status_code == 202


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "-5", "9" * 30, "１７", "1795176000.5"])
async def test_a_time_that_is_none_is_401(doors: Doors, stamp: str) -> None:
    headers = {**signed(b"{}"), "webhook-timestamp": stamp}
    raw = {name: value.encode() for name, value in headers.items()}
    response = await post(doors, "standard-webhooks", b"{}", raw)  # type: ignore[arg-type]
    assert response.status_code == 401
    assert response.json()["code"] in ("no_timestamp", "unreadable_timestamp")


@pytest.mark.parametrize("name", samples("standard_webhooks"))
def test_the_examples_of_standard_webhooks_are_of_other_types(name: str) -> None:
    headers, body = sample("standard_webhooks", name)
    assert judged("standard-webhooks", body, headers).ignored == {"unknown_type": 1}
