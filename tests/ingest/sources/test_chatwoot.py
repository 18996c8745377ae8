"""Chatwoot: the documented deliveries, CSAT answers that change, and what is nobody's feedback."""

from typing import Any

import pytest

from tests.ingest.sources.mapped import events, ignored, judged, mapped, sample, samples


def _jane(timestamp: int, time: str) -> dict[str, Any]:
    data = {"customer": "chatwoot-12", "name": "jane", "email": "jane@acme.inc"}
    return {"type": "customer.updated.v1", "id": f"conversation:10:{timestamp}", "time": time, "data": data}


OPENED = {
    "type": "contact.opened.v1",
    "id": "10",
    "time": "2021-07-23T18:04:19Z",  # date -u -d @1627063459
    "data": {"contact_id": "10", "customer": "chatwoot-12", "channel": "webwidget"},
}
RESOLVED = {
    "type": "contact.resolved.v1",
    "id": "10:1627063520",
    "time": "2021-07-23T18:05:20Z",
    "data": {"contact_id": "10"},
}
REPLIED = {
    "type": "contact.replied.v1",
    "id": "118",
    "time": "2021-07-23T18:02:48Z",
    "data": {"contact_id": "10", "by": "customer", "public": True},
}
EXPECTED = {
    "conversation_opened": [OPENED, _jane(1_627_063_459, "2021-07-23T18:04:19Z")],
    "conversation_resolved": [RESOLVED, _jane(1_627_063_520, "2021-07-23T18:05:20Z")],
    "conversation_status_changed": [_jane(1_627_063_369, "2021-07-23T18:02:49Z")],  # from what, it does not say
    "message_created": [REPLIED],
}
IGNORED = {"message_updated": "message_edited", "webwidget_triggered": "no_rule"}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_was_published_becomes(name: str) -> None:
    assert mapped("chatwoot", name) == EXPECTED[name]


@pytest.mark.parametrize("name", IGNORED)
def test_what_is_ignored_is_counted(name: str) -> None:
    assert ignored("chatwoot", name) == {IGNORED[name]: 1}


def test_every_sample_is_told() -> None:
    if not samples("chatwoot"):
        pytest.skip("../shared/payloads is not here")
    assert set(samples("chatwoot")) == {*EXPECTED, *IGNORED}


def _message(**changed: Any) -> dict[str, Any]:
    _, body = sample("chatwoot", "message_updated")
    return {**body, **changed}


def _rated(rating: int, sent: int, text: str | None = None) -> dict[str, Any]:
    response = {"rating": rating, "feedback_message": text}
    body = _message(
        content_type="input_csat",
        message_type="template",
        content_attributes={"submitted_values": {"csat_survey_response": response}},
    )
    [found] = events(judged("chatwoot", body, {"X-Chatwoot-Timestamp": str(sent)}))
    return found


def test_a_rating_is_an_answer_of_the_conversation() -> None:
    found = _rated(2, 1_627_063_600, "Długo czekałam")
    assert (found["type"], found["id"], found["time"]) == ("feedback.received.v1", "csat-118", "2021-07-23T18:02:48Z")
    assert found["data"] == {
        "metric": "csat",
        "score": 2.0,
        "scale_min": 1.0,
        "scale_max": 5.0,
        "feedback_id": "csat-118",
        "text": "Długo czekałam",
        "touchpoint": "conversation",
        "channel": "webwidget",
        "customer": "chatwoot-12",
        "contact_id": "10",
        "agent": "1",
    }


def test_a_rating_that_is_changed_within_its_fourteen_days_is_the_same_answer() -> None:
    first, changed = _rated(2, 1_627_063_600), _rated(5, 1_628_000_000)
    assert first["id"] == changed["id"]
    assert first["revision"] < changed["revision"]


def test_private_notes_bots_and_surveys_are_no_replies() -> None:
    note = _message(event="message_created", private=True)
    bot = _message(event="message_created", message_type="outgoing", sender={"id": 1, "type": "agent_bot"})
    survey = _message(event="message_created", content_type="input_csat")
    activity = _message(event="message_created", message_type="activity")
    reasons = [dict(judged("chatwoot", body).ignored) for body in (note, bot, survey, activity)]
    assert reasons == [{"private_note": 1}, {"from_a_bot": 1}, {"survey_sent": 1}, {"not_a_reply": 1}]


def test_an_agents_reply_and_a_conversation_that_is_opened_again() -> None:
    [reply] = events(judged("chatwoot", _message(event="message_created", message_type="outgoing")))
    assert reply["data"] == {"contact_id": "10", "by": "agent", "public": True}
    _, body = sample("chatwoot", "conversation_status_changed")
    again = [{"status": {"previous_value": "resolved", "current_value": "open"}}]
    found = events(judged("chatwoot", {**body, "changed_attributes": again}))
    assert [one["type"] for one in found] == ["contact.reopened.v1", "customer.updated.v1"]


def test_both_ways_of_saying_resolved_are_one_fact() -> None:
    _, said = sample("chatwoot", "conversation_resolved")
    change = [{"status": {"previous_value": "open", "current_value": "resolved"}}]
    changed = {**said, "event": "conversation_status_changed", "changed_attributes": change}
    assert events(judged("chatwoot", changed)) == events(judged("chatwoot", said))
