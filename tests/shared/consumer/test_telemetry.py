"""What a consumer shows: committed records by outcome, batches, partitions, lag; a line for what is set aside."""

import json
from collections.abc import Sequence

import pytest
import structlog
from prometheus_client import CollectorRegistry

from shared.consumer.lag import Lag
from shared.consumer.telemetry import ConsumerTelemetry
from shared.consumer.worker import Worker
from shared.db import Database
from shared.log.partitioning import partition_of
from shared.log.port import NewRecord
from shared.tracing import Attributes, Kind, Span
from tests.builders import session
from tests.shared.consumer.faults import server_says
from tests.shared.consumer.ledger import TOPIC, Ledger, Process

FACT = "0e2f9a41-6c1d-8b5e-9f30-7a1d2c4b6e80"


class Recorded:
    """A span, and the recording of spans, in memory."""

    on = True

    def __init__(self, name: str = "", caused_by: str | None = None, links: Sequence[str | None] = ()) -> None:
        self.name, self.caused_by, self.links = name, caused_by, list(links)
        self.traceparent: str | None = f"span of {name}"
        self.began = 1
        self.ended: Attributes | None = None
        self.failed = False
        self.spans: list[Recorded] = []

    def start(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        caused_by: str | None = None,
        links: Sequence[str | None] = (),
        began: int | None = None,
    ) -> Span:
        self.spans.append(Recorded(name, caused_by, links))
        return self.spans[-1]

    def end(self, attributes: Attributes | None = None, *, failed: bool = False) -> None:
        self.ended, self.failed = attributes or {}, failed

    async def close(self) -> None:
        pass


class Watched:
    """A worker of the ledger whose telemetry a test reads."""

    def __init__(self, ledger: Ledger) -> None:
        self.process: Process = ledger.process()
        self.registry = CollectorRegistry()
        self.tracing = Recorded()
        telemetry = ConsumerTelemetry(self.process.clock, self.registry, self.tracing)
        again = self.process.counting.publish_again
        subscriptions = {"session.ended.v1": self.process.counting.count}
        self.process.worker = Worker(
            self.process.log, self.process.db, [TOPIC], subscriptions, self.process.clock, again, telemetry
        )

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def outcome(self, outcome: str) -> float | None:
        return self.value("petla_consumer_records_total", topic=TOPIC, outcome=outcome)


@pytest.fixture
def watched(ledger: Ledger) -> Watched:
    return Watched(ledger)


def garbage(number: int) -> NewRecord:
    return NewRecord(TOPIC, b"one partition", f"garbage {number}".encode())


def changed(name: str, **fields: object) -> NewRecord:
    event = json.loads(session(name).value or b"") | fields
    return NewRecord(TOPIC, b"key", json.dumps(event).encode())


async def test_records_are_counted_by_what_became_of_them(ledger: Ledger, watched: Watched) -> None:
    await ledger.log.append([session("s1"), session("s2"), session("s1"), garbage(1)])
    await watched.process.run()
    await ledger.log.append([session("s2")])
    await watched.process.run()
    assert (watched.outcome("new"), watched.outcome("duplicate")) == (2, 2)
    assert watched.outcome("rejected.undecodable") == 1
    assert watched.value("petla_consumer_dead_letters_total") == 1
    assert watched.value("petla_consumer_batch_records_count") == 2
    assert watched.value("petla_consumer_batch_records_sum") == 5
    counted = {name: n for name, n in (await ledger.progress()).outcomes.items() if n}
    assert counted == {"new": 2, "duplicate": 2, "rejected.undecodable": 1}


async def test_a_batch_in_halves_is_one_batch_and_every_record_counts_once(ledger: Ledger, watched: Watched) -> None:
    watched.process.counting.broken = {"s3": server_says("22P02")}
    await ledger.log.append([session(f"s{number}") for number in range(8)])
    await watched.process.run()
    assert (watched.outcome("new"), watched.outcome("rejected.handler_failed")) == (7, 1)
    assert watched.value("petla_consumer_batch_records_count") == 1


async def test_what_was_not_committed_is_not_counted(ledger: Ledger, watched: Watched) -> None:
    await ledger.log.append([session("s1")])
    watched.process.counting.faults = [server_says("57P01")]  # the server is being shut down
    with pytest.raises(Exception, match="as the test wants it"):
        await watched.process.run()
    assert watched.outcome("new") is None
    assert watched.tracing.spans[0].failed
    await watched.process.run()
    assert watched.outcome("new") == 1


async def test_how_long_a_batch_took_is_the_clocks(ledger: Ledger, watched: Watched) -> None:
    async def slow(_: object) -> None:
        watched.process.clock.seconds += 0.3

    watched.process.counting.faults = [slow]
    await ledger.log.append([session("s1")])
    await watched.process.run()
    assert watched.value("petla_consumer_batch_seconds_sum") == pytest.approx(0.3)


async def test_partitions_are_shown_while_they_are_held(ledger: Ledger, watched: Watched) -> None:
    assert watched.value("petla_consumer_partitions_held") == 0
    await watched.process.run()
    assert watched.value("petla_consumer_partitions_held") == 4
    assert watched.value("petla_consumer_halted") == 0
    await ledger.log.append([garbage(number) for number in range(51)])
    await watched.process.run()
    assert watched.value("petla_consumer_halted") == 1
    assert watched.value("petla_consumer_partitions_held") == 0


async def test_a_record_that_is_set_aside_is_a_line_with_its_place_and_fact(ledger: Ledger, watched: Watched) -> None:
    watched.process.counting.broken = {"s1": server_says("22P02")}
    await ledger.log.append(
        [session("s1"), changed("Anna", factid=FACT, type="Anna.v1"), changed("Anna", factid="Anna", data=7)]
    )
    with structlog.testing.capture_logs() as logged:
        await watched.process.run()
    lines = [entry for entry in logged if entry["event"] == "record_set_aside"]
    assert sorted(entry["reason"] for entry in lines) == ["handler_failed", "invalid", "unknown_type"]
    by_reason = {entry["reason"]: entry for entry in lines}
    assert by_reason["unknown_type"]["fact"] == FACT
    assert by_reason["unknown_type"].items() >= {"topic": TOPIC, "partition": partition_of(b"key", 4)}.items()
    assert by_reason["invalid"]["fact"] == ""  # what is no id may be anything
    assert "Anna" not in str(logged)


async def test_an_event_is_in_the_trace_it_came_from_and_linked_to_its_batch(ledger: Ledger, watched: Watched) -> None:
    await ledger.log.append(
        [changed("s1", traceparent="cause"), changed("s2", traceparent="cause"), session("s3"), garbage(1)]
    )
    await watched.process.run()
    batch, *events = watched.tracing.spans
    assert (batch.name, batch.links, batch.caused_by) == ("process batch", ["cause"], None)
    assert batch.ended == {"messaging.batch.message_count": 4}
    assert [(span.name, span.caused_by, span.links) for span in events] == [
        ("process session.ended.v1", "cause", ["span of process batch"])
    ] * 2


class Lagging:
    def __init__(self, ledger: Ledger, db: Database) -> None:
        self._registry = CollectorRegistry()
        self.lag = Lag(ledger.log, db, [TOPIC], self._registry)

    def shown(self) -> list[float]:
        """By partition, the first one first."""
        (family,) = self._registry.collect()
        return [sample.value for sample in sorted(family.samples, key=lambda sample: sample.labels["partition"])]


async def test_the_lag_is_what_is_not_read_yet_also_where_nobody_reads(ledger: Ledger, watched: Watched) -> None:
    lagging = Lagging(ledger, ledger.db)
    place = partition_of(b"one partition", 4)
    await ledger.log.append([garbage(number) for number in range(3)])
    await lagging.lag.look()
    assert lagging.shown() == [3.0 if number == place else 0.0 for number in range(4)]
    await watched.process.run()
    await lagging.lag.look()
    assert lagging.shown() == [0.0] * 4
    await watched.process.worker.stop()
    await ledger.log.append([garbage(4)])
    await lagging.lag.look()
    assert sum(lagging.shown()) == 1


async def test_what_expired_unread_is_no_lag(ledger: Ledger) -> None:
    lagging = Lagging(ledger, ledger.db)
    await ledger.log.append([garbage(1), garbage(2)])
    await ledger.log.expire(2**62)
    await lagging.lag.look()
    assert lagging.shown() == [0.0] * 4


async def test_a_lag_that_cannot_be_read_is_not_shown(ledger: Ledger) -> None:
    lagging = Lagging(ledger, ledger.db)
    await lagging.lag.look()
    assert len(lagging.shown()) == 4
    lagging.lag.forget()
    assert lagging.shown() == []
