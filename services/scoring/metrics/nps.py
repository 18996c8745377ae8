"""Net Promoter Score: the share of promoters less the share of detractors, in points from -100 to 100.

Interval and test use the adjusted Wald method (three answers more: 3/4 promoter, 3/4 detractor, 1½ passive), which
holds for small samples and for unanimous ones (Sauro & Lewis, measuringu.com/nps-confidence-intervals).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from services.scoring.metrics.definition import Definition
from services.scoring.metrics.groups import NPS_GROUPS
from services.scoring.metrics.intervals import Interval, clamped, z_quantile
from services.scoring.metrics.significance import Significance, from_z

NPS = Definition("nps", "nps@1", "points", "net_promoter", reads="nps", names=NPS_GROUPS)


class NetPromoter(NamedTuple):
    promoters: int
    detractors: int
    answers: int

    @property
    def value(self) -> float | None:
        return 100 * (self.promoters - self.detractors) / self.answers if self.answers else None

    def interval(self, confidence: float) -> Interval | None:
        if not self.answers:
            return None
        point, variance = self.adjusted()
        return clamped(point, z_quantile(confidence) * math.sqrt(variance), -100, 100, "adjusted_wald")

    def adjusted(self) -> tuple[float, float]:
        """Point and squared standard error, both in points; the error is never 0."""
        n = self.answers + 3
        p = (self.promoters + 0.75) / n
        d = (self.detractors + 0.75) / n
        return 100 * (p - d), 100**2 * (p + d - (p - d) ** 2) / n


def change(now: NetPromoter, before: NetPromoter) -> Significance:
    point, variance = now.adjusted()
    earlier_point, earlier_variance = before.adjusted()
    return from_z((point - earlier_point) / math.sqrt(variance + earlier_variance))
