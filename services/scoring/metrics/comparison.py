"""One metric in two windows: the plain difference, and whether a test says that it changed.

Differing scales are never compared; a side without answers gives no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.scoring.metrics import means, nps, shares
from services.scoring.metrics.definition import Definition, Sample
from services.scoring.metrics.means import Mean
from services.scoring.metrics.nps import NetPromoter
from services.scoring.metrics.shares import Share
from services.scoring.metrics.significance import UNTESTABLE, Significance
from services.scoring.metrics.summary import MIXED_SCALES, Statistic, is_mixed, measure


@dataclass(frozen=True)
class Comparison:
    """`value` and `n` are those of the earlier window, `difference` is now less before, in the metric's unit."""

    value: float | None
    n: int
    difference: float | None
    z: float | None
    p: float | None
    changed: bool
    reason: str | None

    def as_json(self) -> dict[str, Any]:
        answer = {
            "value": self.value,
            "n": self.n,
            "difference": self.difference,
            "z": self.z,
            "p": self.p,
            "changed": self.changed,
        }
        return {**answer, "reason": self.reason} if self.reason else answer


def compare(definition: Definition, now: Sample, before: Sample, confidence: float) -> Comparison:
    """Changed means p < 1 - confidence; `confidence` lies between 0 and 1, both excluded."""
    earlier = None if is_mixed(before) else measure(definition, before)
    value = earlier and earlier.value
    if earlier is None or is_mixed(now, before):
        return Comparison(value, before.n, None, None, None, False, MIXED_SCALES)
    later = measure(definition, now)
    if later.value is None or earlier.value is None:
        return Comparison(value, before.n, None, None, None, False, None)
    z, p = _test(later, earlier)
    changed = p is not None and p < 1 - confidence
    return Comparison(value, before.n, later.value - earlier.value, z, p, changed, None)


def _test(now: Statistic, before: Statistic) -> Significance:
    match now, before:
        case NetPromoter(), NetPromoter():
            return nps.change(now, before)
        case Share(), Share():
            return shares.change(now, before)
        case Mean(), Mean():
            return means.change(now, before)
    return UNTESTABLE
