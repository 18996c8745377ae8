"""Nothing lost and nothing counted twice while all three processes are killed three times each, and the yardstick."""

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tests.e2e.kill_run import CONVERGES_SECONDS, KILLS_EACH, SERVICES, kill_run
from tests.e2e.naive_count import Totals, count
from tests.e2e.observed import differences
from tests.e2e.stream import CONFLICTS, CORRECTIONS, DUPLICATES, Event, stream

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVENTS = 20_000


@pytest.mark.slow
def test_every_total_is_exact_after_nine_kills() -> None:
    outcome = kill_run(secrets.randbelow(1_000_000), EVENTS)
    print("\n".join(outcome.lines()))
    assert outcome.differences == []
    expected = outcome.expected
    assert expected.followups + expected.suppressed.total() == expected.detractors
    assert Counter(kill.service for kill in outcome.kills) == dict.fromkeys(SERVICES, KILLS_EACH)
    assert outcome.reconciliation["balanced"]
    assert outcome.converged_seconds < CONVERGES_SECONDS
    feedback = outcome.reconciliation["topics"]["petla.feedback"]
    assert feedback["conflicts"] > 0
    assert feedback["lost"] == 0
    assert feedback["rejected"] == {}
    # A client that meets a kill meets a broken connection, never an answer that is wrong.
    assert all(name.endswith("Error") for name in outcome.met), outcome.met


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
    assert totals.channels["nps", "email"].n == 1
    assert totals.retracted_of == {"nps": 1}
    assert (totals.detractors, totals.followups) == (5, 3)
    assert totals.suppressed == {"too_old": 1, "same_submission": 1}


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
