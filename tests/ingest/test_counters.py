"""What is counted without the library's locks is shown as the library shows its own."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from services.ingest.counters import Count, Counters, Durations

SECONDS = (0.0, 0.001, 0.0011, 0.3, 10, 99)


def shown(registry: CollectorRegistry) -> list[str]:
    """Without the time of making, which says nothing that a restart does not."""
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_a_count() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    mine, reference = Count("events", "What they are", ours), Counter("events", "What they are", registry=theirs)
    for n in (1, 100):
        mine.inc(n)
        reference.inc(n)
    assert shown(ours) == shown(theirs)


def test_durations() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    bounds = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
    mine, reference = (
        Durations("wait", "For what", ours),
        Histogram("wait", "For what", buckets=bounds, registry=theirs),
    )
    for seconds in SECONDS:
        mine.observe(seconds)
        reference.observe(seconds)
    assert shown(ours) == shown(theirs)


def test_nothing_happened_yet() -> None:
    registry = CollectorRegistry()
    Counters(registry)
    assert "petla_ingest_events_received_total 0.0" in shown(registry)
    assert 'petla_ingest_request_seconds_bucket{le="+Inf"} 0.0' in shown(registry)
