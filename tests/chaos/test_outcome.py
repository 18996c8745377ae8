"""The judge of a run: whatever is lost, doubled, late or not balanced is seen, and the command does not exit with 0."""

import json
import sys
from datetime import UTC, datetime

import pytest

from deploy.kafka.jars import KafkaMissing
from tests.chaos import __main__ as commands
from tests.chaos.outcome import Outcome, Struck
from tests.chaos.run import parts
from tests.e2e.naive_count import count
from tests.e2e.observed import differences
from tests.e2e.stream import stream

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVENTS = stream(1, 200, NOW)


def exact() -> Outcome:
    outcome = Outcome("embedded-plain", 1, 200, count(EVENTS, NOW), count(EVENTS, NOW))
    outcome.converged = 3.0
    outcome.faults = [Struck("broker frozen", 10.0, 50, 0.0, 2.5)]
    outcome.reconciliation = {"balanced": True, "topics": {}}
    return outcome


def test_a_run_that_is_exact_has_held() -> None:
    outcome = exact()
    assert outcome.held
    assert outcome.lines()[-1] == "every total is exact"
    assert "broker frozen for 10.0 s after 50 events" in outcome.lines()[1]


def test_what_was_answered_and_is_not_there_is_lost() -> None:
    outcome = exact()
    outcome.lost = {("a", 0)}
    assert not outcome.held
    assert outcome.document()["lost"] == 1


def test_what_nobody_was_told_of_is_no_better() -> None:
    outcome = exact()
    outcome.unsent = {("a", 0)}
    assert not outcome.held


def test_an_answer_that_counts_twice_is_counted() -> None:
    outcome = exact()
    outcome.found.metrics["nps"].histogram["3"] += 2
    outcome.found.metrics["nps"].histogram["4"] -= 1  # another that is missing does not make up for it
    outcome.found.followups += 1
    assert (outcome.counted_twice, outcome.held) == (3, False)


@pytest.mark.parametrize("late", [None, 30.1])
def test_late_is_not_held(late: float | None) -> None:
    outcome = exact()
    outcome.converged = late
    assert not outcome.held


def test_not_balanced_is_not_held() -> None:
    outcome = exact()
    outcome.reconciliation["balanced"] = False
    assert not outcome.held


def test_another_value_of_a_metric_is_a_difference() -> None:
    found = count(EVENTS, NOW)
    found.metrics["rating"].value = 1.0
    (line,) = differences(count(EVENTS, NOW), found)
    outcome = exact()
    outcome.differences = [line]
    assert not outcome.held
    assert f"  NOT AS SENT: {line}" in outcome.lines()


def test_every_request_falls_to_a_fault_or_to_the_rest() -> None:
    requests = [[{"id": str(number)}] for number in range(103)]
    for faults in (0, 1, 4):
        made = parts(requests, faults)
        assert len(made) == faults + 1
        assert [request for part in made for request in part] == requests
        assert all(made)


@pytest.mark.parametrize(("lost", "code"), [(set(), 0), ({("a", 0)}, 1)])
def test_the_command_says_how_it_went(
    lost: set[tuple[str, int]], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = exact()
    outcome.lost = lost
    monkeypatch.setattr(commands, "run", lambda *_: outcome)
    monkeypatch.setattr(sys, "argv", ["chaos", "embedded-plain", "--seed", "7", "--json"])
    assert commands.main() == code
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == "python -m tests.chaos embedded-plain --seed 7 --events 20000"
    said = json.loads(last)
    assert (said["held"], said["lost"], said["totals"]["followups"]) == (not lost, len(lost), outcome.found.followups)


def test_without_java_the_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing(*_: object) -> Outcome:
        raise KafkaMissing("install Java")

    monkeypatch.setattr(commands, "run", missing)
    monkeypatch.setattr(sys, "argv", ["chaos", "kafka-plain"])
    assert commands.main() == 2
    assert "no Kafka here: install Java" in capsys.readouterr().err
