"""The yardstick itself: the naive count against one made by hand, and the stream it counts."""

from datetime import UTC, datetime, timedelta
from random import Random

from tests.e2e.naive_count import Totals, count
from tests.e2e.observed import differences
from tests.e2e.stream import CONFLICTS, CORRECTIONS, DUPLICATES, Event, stream

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def answer(name: str, score: float | None, metric: str = "nps", days: float = 1, **data: str) -> Event:
    time = (NOW - timedelta(days=days)).isoformat()
    scored = {} if score is None else {"score": score}
    return {"id": name, "type": "feedback.received.v1", "time": time, "data": {"metric": metric, **scored, **data}}


def correction(name: str, revision: int, kind: str, score: float | None = None) -> Event:
    data: dict[str, object] = {"feedback_id": name}
    if score is not None:
        data |= {"metric": "nps", "score": score}
    time = (NOW - timedelta(days=1)).isoformat()
    return {"id": f"{name}{revision}", "type": f"feedback.{kind}.v1", "revision": revision, "time": time, "data": data}


def test_the_count_agrees_with_one_made_by_hand() -> None:
    totals = count(
        [
            answer("a", 3, channel="email"),
            answer("a", 3, channel="email"),
            answer("b", 9),
            correction("b", 1, "updated", score=2),
            answer("c", 0),
            correction("c", 2, "retracted"),
            correction("c", 1, "updated", score=10),
            answer("d", 1, days=31),
            answer("e", 2, submission_id="s"),
            answer("f", 2.5, metric="csat", submission_id="s"),
            answer("g", None, metric="comment"),
            correction("h", 1, "retracted"),
        ],
        NOW,
    )
    assert (totals.facts, totals.scored, totals.retracted) == (11, 6, 2)
    nps = totals.metrics["nps"]
    assert (nps.n, nps.counts, nps.histogram) == (4, {"detractor": 4}, {"3": 1, "2": 2, "1": 1})
    assert (nps.value, totals.metrics["csat"].value) == (-100, 0)
    assert totals.channels["nps", "email"].n == 1
    assert totals.retracted_of == {"nps": 1}
    assert (totals.detractors, totals.followups) == (5, 3)
    assert totals.suppressed == {"too_old": 1, "same_submission": 1}


def test_values_are_those_of_the_published_formulas() -> None:
    scores = [10, 10, 9, 8, 3]  # three promoters, one detractor
    totals = count([answer(f"n{n}", score) for n, score in enumerate(scores)], NOW)
    assert totals.metrics["nps"].value == 40
    totals = count(
        [answer(f"{metric}{score}", score, metric) for metric in ("csat", "rating") for score in (5, 4, 1)], NOW
    )
    assert (totals.metrics["csat"].value, totals.metrics["rating"].value) == (66.666666667, 3.333333333)


def test_deliveries_are_counted_as_by_hand() -> None:
    def event(kind: str, name: str, hour: int, **data: str) -> Event:
        return {"id": name, "type": kind, "time": f"2026-11-0{hour}T00:00:00+00:00", "data": data}

    totals = count(
        [
            event("delivery.promised.v1", "p1", 1, order_id="o", promised_date="2026-11-05"),
            event("delivery.promised.v1", "p2", 2, order_id="o", promised_date="2026-11-09"),
            event("delivery.completed.v1", "c", 6, order_id="o", completed_at="2026-11-06T00:00:00+00:00"),
            event("delivery.completed.v1", "d", 6, order_id="other", completed_at="2026-11-06T00:00:00+00:00"),
        ],
        NOW,
    )
    assert totals.deliveries == {"late": 1, "no_promise": 1}


def test_the_stream_is_what_it_says_and_its_totals_know_no_order() -> None:
    events = stream(7, 5_000, NOW)
    assert events == stream(7, 5_000, NOW)
    assert len(events) == 5_000
    corrected = sum(event.get("revision", 0) > 0 for event in events)
    assert corrected >= 5_000 * CORRECTIONS
    in_conflict = sum("another text" in event["data"].get("text", "") for event in events)
    assert in_conflict == 5_000 * CONFLICTS
    assert len({repr(sorted(event.items(), key=str)) for event in events}) <= 5_000 * (1 - DUPLICATES / 2)
    shuffled = Random(8).sample(events, len(events))
    assert differences(count(events, NOW), count(shuffled, NOW)) == []


def test_one_lost_and_one_doubled_answer_are_seen() -> None:
    events = [answer("a", 9), answer("b", 3), answer("c", 7)]
    assert differences(count(events, NOW), count(events[:2], NOW))
    assert differences(count(events, NOW), count([*events, answer("d", 7)], NOW))
    assert len(differences(count(events, NOW), Totals())) > 3
