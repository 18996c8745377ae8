"""What ingest counts for /metrics: every event received is accepted, rejected, or in a request refused as a whole."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from shared.log.port import Log

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Counters:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Count("petla_ingest_events_received", "Events in bodies that were read", registry)
        self.accepted = Count("petla_ingest_events_accepted", "Events that the log acknowledged", registry)
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
        self.request_seconds = Durations(
            "petla_ingest_request_seconds", "From a request for /v1/events to its answer", registry
        )
        self.append_seconds = Durations("petla_ingest_append_seconds", "What the log took to acknowledge", registry)


class Count(Collector):
    """A counter of one thread: without the library's lock it costs a fifth, and each request counts four times."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._described = (name, documentation)
        self._n = 0
        registry.register(self)

    def inc(self, n: int = 1) -> None:
        self._n += n

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(*self._described, value=self._n)


class Durations(Collector):
    """A histogram of one thread, as above."""

    def __init__(self, name: str, documentation: str, registry: CollectorRegistry) -> None:
        self._described = (name, documentation)
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[Metric]:
        bounds = [*map(floatToGoString, _SECONDS), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        yield HistogramMetricFamily(*self._described, buckets=buckets, sum_value=self._sum)


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
