"""The story is the same for the same seed, its means are those of Olist's orders, and the door takes every event."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from statistics import mean
from typing import Any

import pytest

from services.demo.shop import history, sent_twice
from services.ingest.admission import admit
from services.ingest.sent_event import from_document

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MANY = 30_000

Event = dict[str, Any]


@cache
def many() -> list[Event]:
    return history(1, MANY, START)


def data_of(events: Sequence[Event], kind: str) -> list[Event]:
    return [event["data"] for event in events if event["type"] == kind]


def time_of(event: Event) -> datetime:
    return datetime.fromisoformat(event["time"])


def current_answers(events: Sequence[Event]) -> list[Event]:
    """By hand what scoring does: the highest revision of each answer, without those taken back."""
    newest: dict[str, Event] = {}
    for event in events:
        if event["type"].startswith("feedback."):
            name = event["data"].get("feedback_id", event["id"])
            known = newest.setdefault(name, event)
            if event.get("revision", 0) > known.get("revision", 0):
                newest[name] = event
    return [event["data"] for event in newest.values() if event["type"] != "feedback.retracted.v1"]


def orders_late(events: Sequence[Event]) -> dict[str, bool]:
    promised = {
        order["order_id"]: date.fromisoformat(order["promised_date"])
        for order in data_of(events, "delivery.promised.v1")
    }
    return {
        order["order_id"]: datetime.fromisoformat(order["completed_at"]).date() > promised[order["order_id"]]
        for order in data_of(events, "delivery.completed.v1")
        if order["order_id"] in promised
    }


def test_the_same_seed_tells_the_same_story() -> None:
    assert history(7, 500, START) == history(7, 500, START)


def test_another_seed_tells_another() -> None:
    assert history(7, 500, START) != history(8, 500, START)
    assert not {event["id"] for event in history(7, 500, START)} & {event["id"] for event in history(8, 500, START)}


@pytest.mark.parametrize("events", [1, 2, 400, 2_000])
def test_there_are_as_many_distinct_events_as_asked_for(events: int) -> None:
    told = history(1, events, START)
    assert len({(event["type"], event["id"]) for event in told}) == events


def test_a_longer_story_holds_the_shorter_one() -> None:
    longer = [json.dumps(event) for event in history(1, 2_000, START)]
    assert {json.dumps(event) for event in history(1, 400, START)} <= set(longer)


@pytest.mark.parametrize("hours", [0, 5, 11, 17, 24 * 127])
def test_when_it_starts_changes_no_answer(hours: int) -> None:
    """Another time of day, and of the year (summer time begins in between)."""
    told = history(1, 1_000, START + timedelta(hours=hours))
    answers = {(a["metric"], a.get("score"), a["customer"], a["touchpoint"]) for a in current_answers(told)}
    assert answers == {
        (a["metric"], a.get("score"), a["customer"], a["touchpoint"]) for a in current_answers(history(1, 1_000, START))
    }


def test_everything_is_in_order_and_over_when_it_starts() -> None:
    times = [time_of(event) for event in many()]
    assert times == sorted(times)
    assert times[-1] <= START - timedelta(minutes=4)


def test_answers_are_young_enough_to_be_acted_on() -> None:
    """Alerts calls nobody for feedback that is older than 30 days; a day is left for a late start."""
    answered = [time_of(event) for event in many() if event["type"] == "feedback.received.v1"]
    assert min(answered) > START - timedelta(days=29)
    assert min(answered) < START - timedelta(days=21), "three weeks of charts"


def test_about_seven_in_a_hundred_deliveries_are_late() -> None:
    late = orders_late(many())
    assert len(late) > 4_000
    assert 0.068 < mean(late.values()) < 0.072


def test_customers_served_late_give_fewer_stars() -> None:
    late = orders_late(many())
    stars: dict[bool, list[int]] = {False: [], True: []}
    for answer in current_answers(many()):
        if answer["metric"] == "rating" and answer["order_id"] in late:
            stars[late[answer["order_id"]]].append(answer["score"])
    assert len(stars[True]) > 100
    assert mean(stars[False]) == pytest.approx(4.28, abs=0.04)
    assert mean(stars[True]) == pytest.approx(2.27, abs=0.12)


def test_nps_goes_with_the_stars() -> None:
    by_submission: dict[str, dict[str, int]] = {}
    for answer in current_answers(many()):
        if answer["metric"] in ("rating", "nps") and "submission_id" in answer:
            by_submission.setdefault(answer["submission_id"], {})[answer["metric"]] = answer["score"]
    pairs = [(both["rating"], both["nps"]) for both in by_submission.values() if len(both) == 2]
    means = [mean(nps for stars, nps in pairs if stars == given) for given in (1, 2, 3, 4, 5)]
    assert means == sorted(means)
    assert means[0] < 3 < 8.5 < means[-1]


def test_every_kind_of_event_happens() -> None:
    kinds = {event["type"] for event in many()}
    assert {
        "customer.updated.v1",
        "order.placed.v1",
        "order.cancelled.v1",
        "delivery.promised.v1",
        "delivery.completed.v1",
        "survey.invited.v1",
        "survey.bounced.v1",
        "feedback.received.v1",
        "feedback.updated.v1",
        "feedback.retracted.v1",
        "contact.opened.v1",
        "contact.replied.v1",
        "contact.resolved.v1",
        "contact.reopened.v1",
        "call.ended.v1",
        "return.requested.v1",
        "refund.issued.v1",
    } == kinds
    assert {answer["metric"] for answer in current_answers(many())} == {
        "rating",
        "nps",
        "csat",
        "ces",
        "recommend",
        "comment",
    }


def test_the_door_takes_every_event() -> None:
    facts = {admit(from_document(json.dumps(event).encode()), "demo-shop", START).fact for event in many()}
    revised = sum(1 for event in many() if event.get("revision"))
    assert len(facts) == MANY - revised


def test_nobody_real_can_be_called_or_written_to() -> None:
    customers = data_of(many(), "customer.updated.v1")
    assert all(customer["phone"].startswith("+48 000 ") for customer in customers)
    assert all(customer["email"].endswith("@example.com") for customer in customers)
    assert all(customer["email"].isascii() for customer in customers)
    assert 0.02 < mean(not customer["consent"]["contact"] for customer in customers) < 0.06


def test_no_comment_shows_its_template() -> None:
    texts = [answer["text"] for answer in current_answers(many()) if answer.get("text")]
    assert len(set(texts)) > 400
    assert not [text for text in texts if "{" in text or "}" in text]
    assert any("Zamówiłam" in text for text in texts)
    assert any("Zamówiłem" in text for text in texts)
    assert not [text for text in texts if "emby" in text or "amby" in text]


def test_a_few_events_are_sent_twice() -> None:
    again = sent_twice(many(), 1)
    assert again == sent_twice(many(), 1)
    assert 0.02 < len(again) / MANY < 0.04
