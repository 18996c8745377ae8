"""One metric over one sample: value, n, interval, counts and histogram, never rounded.

No answers give a null value, never 0. Answers on more than one scale are not pooled: the value is null and the reason
says so, while n and the counts still hold (a group can be told on each scale by itself).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.scoring.metrics.cells import Cells, Scale, plain_number
from services.scoring.metrics.definition import Definition, Sample
from services.scoring.metrics.groups import count_groups
from services.scoring.metrics.intervals import Interval
from services.scoring.metrics.means import Mean
from services.scoring.metrics.medians import Median
from services.scoring.metrics.nps import NetPromoter
from services.scoring.metrics.outcomes import Durations, Outcomes
from services.scoring.metrics.shares import Share

MIXED_SCALES = "mixed_scales"
_YES_NO = Scale(0, 10)

Statistic = NetPromoter | Share | Mean | Median


@dataclass(frozen=True)
class Summary:
    """`histogram` is score in tenths -> answers, empty where scales are mixed; `scale` is None where none is known."""

    value: float | None
    n: int
    interval: Interval | None
    counts: dict[str, int]
    histogram: dict[int, int]
    scale: Scale | None
    reason: str | None

    def as_json(self) -> dict[str, Any]:
        answer = {
            "value": self.value,
            "n": self.n,
            "interval": self.interval and self.interval.as_json(),
            "counts": self.counts,
            "histogram": {str(plain_number(score)): self.histogram[score] for score in sorted(self.histogram)},
            "scale": self.scale and self.scale.as_json(),
        }
        return {**answer, "reason": self.reason} if self.reason else answer


def summarize(definition: Definition, sample: Sample, confidence: float) -> Summary:
    """`confidence` lies between 0 and 1, both excluded. TypeError where the metric has another sample."""
    counts = count(definition, sample)
    if is_mixed(sample):
        return Summary(None, sample.n, None, counts, {}, None, MIXED_SCALES)
    statistic = measure(definition, sample)
    scale, histogram = _distribution(definition, sample)
    return Summary(statistic.value, sample.n, statistic.interval(confidence), counts, histogram, scale, None)


def count(definition: Definition, sample: Sample) -> dict[str, int]:
    """How many answers each group has, or how many facts each outcome; the metric's own names come first."""
    found: dict[str, int] = {}
    if isinstance(sample, Cells) and definition.reads:
        found = count_groups(definition.reads, sample)
    elif isinstance(sample, Outcomes):
        found = sample.counts
    named = {name: found.get(name, 0) for name in definition.names}
    return named | {name: found[name] for name in sorted(found)}


def is_mixed(*samples: Sample) -> bool:
    return len({scale for sample in samples if isinstance(sample, Cells) for scale in sample.scores}) > 1


def measure(definition: Definition, sample: Sample) -> Statistic:
    """The statistic of a sample that holds one scale or none."""
    counts = count(definition, sample)
    match definition.kind, sample:
        case "net_promoter", Cells():
            return NetPromoter(counts["promoter"], counts["detractor"], sample.n)
        case "share", Cells() | Outcomes():
            return Share(counts[definition.success], sample.n)
        case "mean", Cells():
            return Mean.of(sample)
        case "median", Durations():
            return Median(sample.seconds)
    raise TypeError(f"{definition.id} is not computed from {type(sample).__name__}")


def _distribution(definition: Definition, sample: Sample) -> tuple[Scale | None, dict[int, int]]:
    """The one scale and its histogram; an outcome is a yes (1) or a no (0)."""
    match sample:
        case Cells():
            return sample.only_scale()
        case Outcomes():
            yes = sample.counts.get(definition.success, 0)
            return _YES_NO, {score: facts for score, facts in ((0, sample.n - yes), (10, yes)) if facts}
        case Durations():
            return None, {}
