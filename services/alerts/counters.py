"""What alerts counts for /metrics beside what every consumer does: each detractor is opened or suppressed."""

from typing import get_args

from prometheus_client import CollectorRegistry, Counter

from shared.events.followups import SuppressionReason


class Counters:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.opened = Counter("petla_alerts_followups_opened", "Follow-ups opened", registry=registry)
        self.suppressed = Counter(
            "petla_alerts_followups_suppressed",
            "Revisions of detractors without a follow-up of their own",
            ["reason"],
            registry=registry,
        )
        for reason in get_args(SuppressionReason):  # an alarm on a series needs it to be there before the first
            self.suppressed.labels(reason)
