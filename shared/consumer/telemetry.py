"""What a consumer shows of its work: counts and spans a batch, a log line for every record that is set aside.

Counted is what was committed, by this process, since it started. The tally in the database counts for ever.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.clock import Clock
from shared.consumer.messages import HANDLER_FAILED, Item, Message, Outcomes, letters_among, named, place
from shared.tracing import UNTRACED, Span, Tracing

_RECORDS = (1, 5, 10, 50, 100, 250, 500, 1_000, 2_000, 4_000)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_LINKS = 128  # as many as OpenTelemetry keeps of a span

_log = structlog.get_logger(__name__)


class ConsumerTelemetry:
    """Of one worker. `clock` measures how long a batch takes."""

    def __init__(self, clock: Clock, registry: CollectorRegistry, tracing: Tracing = UNTRACED) -> None:
        self._clock = clock
        self._tracing = tracing
        self._batch: Span = UNTRACED.start("")
        self._records = Counter(
            "petla_consumer_records",
            "Records read and committed, by what became of them",
            ["topic", "outcome"],
            registry=registry,
        )
        self._dead_letters = Counter("petla_consumer_dead_letters", "Records set aside", registry=registry)
        self._batch_records = Histogram(
            "petla_consumer_batch_records", "Records read at once", buckets=_RECORDS, registry=registry
        )
        self._batch_seconds = Histogram(
            "petla_consumer_batch_seconds", "From a read to its commit", buckets=_SECONDS, registry=registry
        )
        self._held = Gauge("petla_consumer_partitions_held", "Partitions that this process reads", registry=registry)
        self._halted = Gauge("petla_consumer_halted", "1 when the worker stopped on purpose", registry=registry)

    def follow(self, held: Callable[[], int], halted: Callable[[], bool]) -> None:
        """Ask these at every scrape."""
        self._held.set_function(held)
        self._halted.set_function(halted)

    @contextmanager
    def batch(self, items: Sequence[Item]) -> Iterator[None]:
        """Around everything that is done about records that were read together."""
        begun = self._clock.monotonic()
        if self._tracing.on:
            self._batch = self._tracing.start("process batch", "consumer", links=_traceparents(items)[:_LINKS])
        failed = True
        try:
            yield
            failed = False
        finally:
            self._batch_records.observe(len(items))
            self._batch_seconds.observe(self._clock.monotonic() - begun)
            self._batch.end({"messaging.batch.message_count": len(items)}, failed=failed)

    def committed(self, items: Sequence[Item], outcomes: Outcomes) -> None:
        for (topic, outcome), n in _by_topic(outcomes).items():
            self._records.labels(topic, outcome).inc(n)
        letters = letters_among(items)
        self._dead_letters.inc(len(letters))
        for letter in letters:
            if letter.reason != HANDLER_FAILED:  # that was logged with the way to it
                _log.error("record_set_aside", reason=letter.reason, **place(letter.record, letter.event))
        if self._tracing.on:
            self._trace([item for item in items if isinstance(item, Message)])

    def _trace(self, messages: Sequence[Message]) -> None:
        """Each event in the trace that it came from, linked to the batch it was part of."""
        for record, event, _ in messages:
            if event.traceparent:
                span = self._tracing.start(
                    f"process {event.type}",
                    "consumer",
                    caused_by=event.traceparent,
                    links=[self._batch.traceparent],
                    began=self._batch.began,
                )
                span.end({"messaging.destination.name": record.partition.topic, "petla.fact_id": named(event)})


def _traceparents(items: Sequence[Item]) -> list[str]:
    """Each once: the events of one request have the same."""
    found = (item.event.traceparent for item in items if isinstance(item, Message) and item.event.traceparent)
    return list(dict.fromkeys(found))


def _by_topic(outcomes: Outcomes) -> dict[tuple[str, str], int]:
    counted: dict[tuple[str, str], int] = {}
    for (partition, outcome), n in outcomes.items():
        key = (partition.topic, outcome)
        counted[key] = counted.get(key, 0) + n
    return counted
