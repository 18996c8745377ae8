"""What ingest counts for /metrics: every event received is accepted, rejected, or in a request refused as a whole."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.log.port import Log

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Counters:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Counter("petla_ingest_events_received", "Events in bodies that were read", registry=registry)
        self.accepted = Counter("petla_ingest_events_accepted", "Events that the log acknowledged", registry=registry)
        self.rejected = Counter(
            "petla_ingest_events_rejected", "Events that cannot be taken", ["code"], registry=registry
        )
        self.refused = Counter(
            "petla_ingest_requests_refused", "Requests refused as a whole", ["code"], registry=registry
        )
        self.deliveries = Counter(
            "petla_ingest_deliveries",
            "Requests to a source's address, by what became of them",
            ["source", "outcome", "reason"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "petla_ingest_request_seconds",
            "From a request for /v1/events to its answer",
            buckets=_SECONDS,
            registry=registry,
        )
        self.append_seconds = Histogram(
            "petla_ingest_append_seconds", "What the log took to acknowledge", buckets=_SECONDS, registry=registry
        )


@runtime_checkable
class Spilling(Protocol):
    """A log that keeps on this node's disk what its broker cannot take: for now, or (`refused`) for good."""

    @property
    def spilled(self) -> int: ...

    @property
    def refused(self) -> int: ...


class Spilled(Collector):
    """Records that are not where their readers look for them; zeros for a log that spills nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def count(self) -> int:
        return self._log.spilled if isinstance(self._log, Spilling) else 0

    def collect(self) -> Iterator[Metric]:
        refused = self._log.refused if isinstance(self._log, Spilling) else 0
        yield GaugeMetricFamily(
            "petla_ingest_spilled_records", "Records on this disk that wait for the broker", self.count()
        )
        yield CounterMetricFamily(
            "petla_ingest_spill_refused_records", "Records that the broker will never take, set aside", refused
        )
