"""Facts counted by what became of them, and durations: what the metrics that are not answers are computed from."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.scoring.metrics.cells import add_counts


@dataclass
class Outcomes:
    """`counts` is outcome -> number of facts ("late", "on_time"); `excluded` is reason -> number of facts."""

    counts: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    def merge(self, other: Outcomes) -> None:
        add_counts(self.counts, other.counts)
        add_counts(self.excluded, other.excluded)


@dataclass
class Durations:
    """`seconds` in any order; `excluded` is reason -> number of facts that have no duration."""

    seconds: list[float] = field(default_factory=list)
    excluded: dict[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.seconds)

    def merge(self, other: Durations) -> None:
        self.seconds.extend(other.seconds)
        add_counts(self.excluded, other.excluded)
