"""What scoring counts for /metrics beside what every consumer does."""

from prometheus_client import CollectorRegistry, Counter


class Counters:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.scored = Counter(
            "petla_scoring_revisions_scored", "Revisions of answers that were scored and published", registry=registry
        )
