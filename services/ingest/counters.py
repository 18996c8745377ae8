"""What ingest counts for /metrics: every event received is accepted, rejected, or in a request refused as a whole."""

from prometheus_client import CollectorRegistry, Counter


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
