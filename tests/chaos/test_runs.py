"""Nothing is lost and nothing counts twice, whatever fails: small runs of `python -m tests.chaos`."""

import secrets
from collections import Counter

import pytest

from deploy.kafka.jars import KafkaMissing
from tests.chaos.outcome import Outcome
from tests.chaos.run import command, run

FEW, MANY = 2_000, 20_000

pytestmark = pytest.mark.slow


def held(scenario: str, events: int) -> Outcome:
    """The outcome of a run that kept every promise. What fails can be run again: its seed is printed."""
    seed = secrets.randbelow(1_000_000)
    print(command(scenario, seed, events), flush=True)
    try:
        outcome = run(scenario, seed, events)
    except KafkaMissing as missing:
        pytest.skip(f"no Kafka here: {missing}")
    print("\n".join(outcome.lines()))
    assert outcome.held, outcome.lines()
    expected, found = outcome.expected, outcome.reconciliation["topics"]["petla.feedback"]
    assert expected.followups + expected.suppressed.total() == expected.detractors
    assert found["conflicts"] > 0
    assert (found["lost"], found["rejected"]) == (0, {})
    # Who meets a kill meets a broken connection, never an answer that is wrong.
    assert all(name.endswith("Error") for name in outcome.met), outcome.met
    return outcome


def test_every_total_is_exact_after_nine_kills() -> None:
    outcome = held("embedded-kills", MANY)
    assert Counter(fault.name.split()[0] for fault in outcome.faults) == {"ingest": 3, "scoring": 3, "alerts": 3}
    assert set(outcome.kept) == {"local"}


def test_two_of_each_on_the_embedded_log_outlive_kills_and_their_postgres() -> None:
    assert len(held("embedded-faults", FEW).faults) == 4


def test_twenty_thousand_events_come_to_the_same_digits_on_kafka_and_postgres() -> None:
    assert held("kafka-plain", MANY).kept == {"broker": MANY}


def test_two_of_each_on_kafka_outlive_kills_their_broker_and_their_postgres() -> None:
    outcome = held("kafka-faults", FEW)
    assert len(outcome.faults) == 6
    assert set(outcome.kept) == {"broker", "local"}


def test_everything_may_start_without_broker_and_postgres() -> None:
    outcome = held("kafka-cold-start", FEW)
    assert outcome.kept["local"] > FEW / 4  # ingest served while neither was there


def test_three_brokers_outlive_their_leaders() -> None:
    outcome = held("cluster-faults", FEW)
    assert len(outcome.faults) == 3
    assert set(outcome.kept) == {"replicated", "local"}
