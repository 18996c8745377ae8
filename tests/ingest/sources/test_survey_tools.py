"""Typeform and Formbricks: answers with a score, what was written beside them, and forms that are no surveys."""

from typing import Any

import pytest

from tests.ingest.sources.mapped import events, ignored, judged, mapped, sample, samples

TOKEN = "9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d"
NPS = {
    "type": "feedback.received.v1",
    "id": f"{TOKEN}-nps_score",
    "time": "2026-07-09T09:12:30Z",
    "data": {
        "metric": "nps",
        "score": 9.0,
        "scale_min": 0.0,
        "scale_max": 10.0,
        "feedback_id": f"{TOKEN}-nps_score",
        "text": "The mobile app could load a bit faster on older devices.",
        "touchpoint": "nps_score",
        "customer": "cus_9f8e7d6c5b4a",
        "survey_id": "D4e5F6",
        "submission_id": TOKEN,
    },
}
CONTACT = "6f3e8a1c9d2b47a0b6e5f1a2c3d4e5f6"
COMMENT = {
    "type": "feedback.received.v1",
    "id": f"{CONTACT}-comment",
    "time": "2026-07-08T14:04:47Z",
    "data": {
        "metric": "comment",
        "feedback_id": f"{CONTACT}-comment",
        "text": "Hi, I'd like a quote for the annual plan for a 40-person team.",
        "survey_id": "A1b2C3",
        "submission_id": CONTACT,
    },
}
EXPECTED = {
    ("typeform", "model_2_form_response"): [NPS],
    ("typeform", "model_1_form_response"): [COMMENT],
}
IGNORED = {
    ("typeform", "form_response"): "no_rule",  # a name
    ("typeform", "form_response_choice"): "not_a_whole_answer",  # without its envelope
    ("typeform", "model_3_form_response"): "no_rule",
    ("typeform", "model_4_form_response"): "no_rule",
    ("typeform", "model_5_form_response"): "no_rule",
    ("formbricks", "responseCreated"): "not_finished",
    ("formbricks", "responseUpdated"): "not_finished",
    ("formbricks", "responseFinished"): "no_rule",  # a consent, no score
}


@pytest.mark.parametrize(("vendor", "name"), EXPECTED)
def test_what_was_published_becomes(vendor: str, name: str) -> None:
    assert mapped(vendor, name) == EXPECTED[vendor, name]


@pytest.mark.parametrize(("vendor", "name"), IGNORED)
def test_what_is_ignored_is_counted(vendor: str, name: str) -> None:
    assert ignored(vendor, name) == {IGNORED[vendor, name]: 1}


@pytest.mark.parametrize("vendor", ["typeform", "formbricks"])
def test_every_sample_is_told(vendor: str) -> None:
    if not samples(vendor):
        pytest.skip("../shared/payloads is not here")
    assert set(samples(vendor)) == {name for of, name in [*EXPECTED, *IGNORED] if of == vendor}


def _asked(kind: str, ref: str, number: int, **properties: Any) -> list[Any]:
    """The scale of one question of a form: metric, score, from, to."""
    field = {"id": "q1", "type": kind, "ref": ref}
    response = {
        "form_id": "F1",
        "token": "t1",
        "submitted_at": "2026-11-20T10:00:00Z",
        "hidden": {"order_id": "1001", "customer": "c-1"},
        "definition": {"fields": [{**field, "properties": properties}]},
        "answers": [{"type": "number", "number": number, "field": field}],
    }
    [found] = events(judged("typeform", {"event_id": "e1", "event_type": "form_response", "form_response": response}))
    assert (found["id"], found["data"]["order_id"], found["data"]["customer"]) == (f"t1-{ref}", "1001", "c-1")
    return [found["data"].get(name) for name in ("metric", "score", "scale_min", "scale_max")]


def test_a_question_is_what_its_kind_and_its_reference_say() -> None:
    assert _asked("nps", "01GQZMFY", 3) == ["nps", 3, 0, 10]
    assert _asked("rating", "01GQZMFZ", 4) == ["rating", 4, 1, 5]
    assert _asked("rating", "01GQZMFZ", 7, steps=8) == ["rating", 7, 1, 8]
    assert _asked("opinion_scale", "csat_delivery", 2, steps=5, start_at_one=True) == ["csat", 2, 1, 5]
    assert _asked("opinion_scale", "ces", 6, steps=7, start_at_one=True) == ["ces", 6, 1, 7]
    assert _asked("opinion_scale", "how_fast", 10, steps=11) == ["rating", 10, 0, 10]


def test_a_finished_response_is_an_answer_a_question() -> None:
    _, body = sample("formbricks", "responseFinished")
    body["data"]["data"] = {"nps": 0, "csat": 2, "comment": "Zła paczka", "newsletter_consent": "accepted"}
    body["data"]["contact"] = {"userId": "u-7"}
    nps, csat = events(judged("formbricks", body))
    assert (nps["id"], csat["id"], nps["time"]) == ("responseId-nps", "responseId-csat", "2025-07-24T07:47:56.116000Z")
    assert (nps["data"]["score"], csat["data"]["score"], csat["data"]["scale_max"]) == (0, 2, 5)
    for found in (nps, csat):
        assert found["data"]["text"] == "Zła paczka"
        assert (found["data"]["customer"], found["data"]["submission_id"]) == ("u-7", "responseId")
        assert found["revision"] == 1_753_343_276_116 * 1000 + 1  # date -d 2025-07-24T07:47:56.116Z +%s%3N


def test_a_finished_response_that_is_changed_is_the_same_answer_changed() -> None:
    _, body = sample("formbricks", "responseFinished")
    body["data"]["data"] = {"nps": 9}
    [finished] = events(judged("formbricks", body))
    later = {"finished": True, "updatedAt": "2025-07-24T08:00:00.000Z", "data": {"nps": 2}}
    [changed] = events(judged("formbricks", {**body, "event": "responseUpdated", "data": {**body["data"], **later}}))
    assert (changed["id"], changed["data"]["score"]) == (finished["id"], 2)
    assert changed["revision"] > finished["revision"]


def test_words_without_a_score_are_a_comment() -> None:
    _, body = sample("formbricks", "responseFinished")
    body["data"]["data"] = {"comment": "Dziękuję"}
    [found] = events(judged("formbricks", body))
    assert (found["id"], found["data"]["metric"], found["data"]["text"]) == (
        "responseId-comment",
        "comment",
        "Dziękuję",
    )
