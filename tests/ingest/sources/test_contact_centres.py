"""Zendesk, Zammad, Twilio and Amazon Connect: tickets, replies and calls."""

from typing import Any
from urllib.parse import urlencode

import pytest

from services.ingest.webhooks.judging import Judgement
from tests.ingest.sources.mapped import events, ignored, judged, mapped, sample, samples


def _event(kind: str, id_: str, time: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "id": id_, "time": time, "data": data}


PASSWORD = _event("contact.opened.v1", "30482", "2026-07-10T14:02:31Z", contact_id="30482")
CHARGE = _event("contact.opened.v1", "30510", "2026-07-11T09:15:02Z", contact_id="30510")
SOLVED_AT = "2026-07-10T15:30:09Z"
ANSWERED_AT = "2026-07-11T10:02:55Z"
EXPECTED = {
    ("zendesk", "model_1_ticket.created"): [PASSWORD],
    ("zendesk", "model_2_ticket.updated"): [PASSWORD],
    ("zendesk", "model_3_ticket.updated"): [CHARGE],
    ("zendesk", "model_4_ticket.updated"): [
        CHARGE,
        _event("contact.replied.v1", f"30510:{ANSWERED_AT}", ANSWERED_AT, contact_id="30510", by="agent", public=True),
    ],
    ("zendesk", "model_5_ticket.updated"): [
        PASSWORD,
        _event("contact.resolved.v1", f"30482:{SOLVED_AT}", SOLVED_AT, contact_id="30482"),
    ],
    ("zammad", "ticket_trigger"): [
        _event(
            "contact.opened.v1",
            "81",
            "2020-11-13T14:34:35.282000Z",
            contact_id="81",
            customer="zammad-8",
            channel="phone",
        ),
        _event("contact.replied.v1", "104", "2020-11-13T14:34:35.318000Z", contact_id="81", by="customer", public=True),
        _event(
            "customer.updated.v1",
            "8:2020-11-13T14:34:37.366Z",
            "2020-11-13T14:34:37.366000Z",
            customer="zammad-8",
            name="Emily Adams",
            email="emily@example.com",
            phone="0061 2 1234 7777",
        ),
    ],
}
IGNORED = {
    ("zendesk", "trigger_custom_body_ticket_update"): "no_rule",  # another shop's own template
    ("zendesk", "zen_event-type_user.group_membership_created"): "no_rule",
    ("amazon_connect", "DISCONNECTED"): "not_called_by_the_customer",
}
TWILIO = {
    "model_1_message.inbound": "message",
    "model_2_message.inbound-mms": "message",
    "model_3_call.inbound": "no_waiting_time",
    "model_4_call.status-callback": "no_waiting_time",
    "model_5_call.status-callback": "no_waiting_time",
    "voice_form_vector": "no_waiting_time",
}
_NAMES = {"amazon_connect": "amazon-connect"}


@pytest.mark.parametrize(("vendor", "name"), EXPECTED)
def test_what_was_published_becomes(vendor: str, name: str) -> None:
    assert mapped(vendor, name) == EXPECTED[vendor, name]


@pytest.mark.parametrize(("vendor", "name"), IGNORED)
def test_what_is_ignored_is_counted(vendor: str, name: str) -> None:
    assert ignored(vendor, name, source=_NAMES.get(vendor, vendor)) == {IGNORED[vendor, name]: 1}


@pytest.mark.parametrize("vendor", ["zendesk", "zammad", "amazon_connect"])
def test_every_sample_is_told(vendor: str) -> None:
    if not samples(vendor):
        pytest.skip("../shared/payloads is not here")
    assert set(samples(vendor)) == {name for of, name in [*EXPECTED, *IGNORED] if of == vendor}


def _called(**fields: str) -> Judgement:
    return judged("twilio", urlencode(fields).encode(), media="application/x-www-form-urlencoded")


@pytest.mark.parametrize("name", TWILIO)
def test_twilios_messages_and_states_say_nothing_of_waiting(name: str) -> None:
    _, body = sample("twilio", name)
    assert dict(_called(**body).ignored) == {TWILIO[name]: 1}
    assert set(samples("twilio")) == TWILIO.keys()


@pytest.mark.parametrize(
    ("result", "outcome"),
    [("bridged", "answered"), ("bridging-in-process", "answered"), ("hangup", "abandoned"), ("leave", "abandoned")],
)
def test_who_waited_in_a_queue_was_answered_or_gave_up(result: str, outcome: str) -> None:
    [found] = events(_called(CallSid="CA1", QueueSid="QU1", QueueResult=result, QueueTime="75"))
    assert (found["type"], found["id"]) == ("call.ended.v1", "CA1")
    assert found["data"] == {"call_id": "CA1", "outcome": outcome, "wait_seconds": 75.0}


@pytest.mark.parametrize("result", ["queue-full", "error", "system-error"])
def test_who_never_got_into_the_queue_did_not_wait(result: str) -> None:
    assert dict(_called(CallSid="CA1", QueueResult=result).ignored) == {"no_rule": 1}


def _connect(**detail: Any) -> Judgement:
    _, body = sample("amazon_connect", "DISCONNECTED")
    inbound = {"initiationMethod": "INBOUND", "disconnectTimestamp": "2021-08-04T17:33:37.000Z", **detail}
    return judged("amazon-connect", {**body, "detail": {**body["detail"], **inbound}})


def test_a_call_waited_from_the_queue_to_the_agent() -> None:
    [found] = events(_connect())
    assert (found["type"], found["time"]) == ("call.ended.v1", "2021-08-04T17:33:37Z")
    assert found["data"] == {
        "call_id": "11111111-1111-1111-1111-111111111111",
        "contact_id": "11111111-2222-3333-4444-555555555555",
        "outcome": "answered",
        "wait_seconds": 5.0,  # 17:29:04 to 17:29:09
        "talk_seconds": 268.0,  # 17:29:09 to 17:33:37
    }


def test_a_call_without_an_agent_was_abandoned_when_it_ended() -> None:
    [found] = events(_connect(AgentInfo=None))
    assert (found["data"]["outcome"], found["data"]["wait_seconds"]) == ("abandoned", 273.0)
    assert dict(_connect(queueInfo=None).ignored) == {"never_in_a_queue": 1}
    assert dict(_connect(eventType="QUEUED").ignored) == {"call_goes_on": 1}


def test_a_chat_is_opened_and_resolved() -> None:
    [opened] = events(_connect(channel="CHAT", eventType="INITIATED"))
    [resolved] = events(_connect(channel="CHAT"))
    assert (opened["type"], opened["data"]["channel"]) == ("contact.opened.v1", "chat")
    assert resolved["type"] == "contact.resolved.v1"


def _subscribed(kind: str, event: dict[str, Any]) -> Judgement:
    ticket = {"id": "35436", "requester_id": "77", "created_at": "2026-11-20T09:00:00Z", "via": {"channel": "web"}}
    envelope = {"type": f"zen:event-type:ticket.{kind}", "id": "e-1", "time": "2026-11-20T10:00:00Z"}
    return judged("zendesk", {**envelope, "detail": ticket, "event": event})


def test_zendesks_events_tell_the_life_of_a_ticket() -> None:
    comment = {"comment": {"id": "c1", "is_public": True, "author": {"id": "77", "is_staff": False}}}
    told = [
        _subscribed("created", {}),
        _subscribed("comment_added", comment),
        _subscribed("status_changed", {"previous": "OPEN", "current": "SOLVED"}),
        _subscribed("status_changed", {"previous": "SOLVED", "current": "OPEN"}),
    ]
    assert [[(one["type"], one["time"][11:13], one["data"]) for one in events(each)] for each in told] == [
        [("contact.opened.v1", "09", {"contact_id": "35436", "customer": "zendesk-77", "channel": "web"})],
        [("contact.replied.v1", "10", {"contact_id": "35436", "by": "customer", "public": True})],
        [("contact.resolved.v1", "10", {"contact_id": "35436"})],
        [("contact.reopened.v1", "10", {"contact_id": "35436"})],
    ]
    note = {"comment": {"id": "c1", "is_public": False, "author": {"is_staff": True}}}
    assert dict(_subscribed("comment_added", note).ignored) == {"private_note": 1}
    assert dict(_subscribed("status_changed", {"previous": "SOLVED", "current": "CLOSED"}).ignored) == {"no_rule": 1}


def test_good_and_bad_are_satisfaction_on_a_scale_of_two() -> None:
    _, ticket = sample("zendesk", "model_5_ticket.updated")
    rated = {
        **ticket,
        "satisfaction": "Bad with comment",
        "satisfaction_comment": "Nikt nie oddzwonił",
        "requester_id": 9,
    }
    found = events(judged("zendesk", rated))[-1]
    assert (found["type"], found["id"]) == ("feedback.received.v1", "csat-30482")
    assert found["data"] == {
        "metric": "csat",
        "score": 0.0,
        "scale_min": 0.0,
        "scale_max": 1.0,
        "feedback_id": "csat-30482",
        "text": "Nikt nie oddzwonił",
        "touchpoint": "ticket",
        "customer": "zendesk-9",
        "contact_id": "30482",
    }


def test_a_closed_ticket_is_resolved_and_a_note_is_no_reply() -> None:
    _, body = sample("zammad", "ticket_trigger")
    ticket = {**body["ticket"], "state": "closed", "close_at": "2020-11-14T09:00:00.000Z"}
    found = events(judged("zammad", {"ticket": ticket, "article": {**body["article"], "internal": True}}))
    assert [one["type"] for one in found] == ["contact.opened.v1", "contact.resolved.v1", "customer.updated.v1"]
    assert found[1]["id"] == "81:2020-11-14T09:00:00.000Z"


def test_a_customer_without_a_name_can_still_be_reached() -> None:
    _, body = sample("zammad", "ticket_trigger")
    nameless = {**body["ticket"], "customer": {**body["ticket"]["customer"], "firstname": "", "lastname": ""}}
    found = events(judged("zammad", {**body, "ticket": nameless}))[-1]
    assert found["data"] == {"customer": "zammad-8", "email": "emily@example.com", "phone": "0061 2 1234 7777"}


@pytest.mark.parametrize("status", ["pending", "Pending"])
def test_a_ticket_that_waits_for_its_customer_was_answered(status: str) -> None:
    _, ticket = sample("zendesk", "model_4_ticket.updated")
    found = events(judged("zendesk", {**ticket, "status": status, "latest_comment_is_public": True}))
    assert "contact.replied.v1" in [one["type"] for one in found]


@pytest.mark.parametrize(
    ("words", "scores"),
    [
        ("Good, I'm satisfied", [1.0]),
        ("bad", [0.0]),
        ("Bad, I'm unsatisfied", [0.0]),
        ("Offered", []),
        ("", []),
        (None, []),
    ],
)
def test_a_rating_is_good_or_bad_however_it_is_worded(words: str | None, scores: list[float]) -> None:
    _, ticket = sample("zendesk", "model_5_ticket.updated")
    found = events(judged("zendesk", {**ticket, "satisfaction": words}))
    assert [one["data"]["score"] for one in found if one["type"] == "feedback.received.v1"] == scores
