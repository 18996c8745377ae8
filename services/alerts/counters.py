"""What alerts counts for /metrics beside what every consumer does: each detractor is opened or suppressed."""

from prometheus_client import CollectorRegistry, Counter


class Counters:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.opened = Counter("petla_alerts_followups_opened", "Follow-ups opened", registry=registry)
        self.suppressed = Counter(
            "petla_alerts_followups_suppressed",
            "Revisions of detractors without a follow-up of their own",
            ["reason"],
            registry=registry,
        )
