"""A share in percent, with Wilson's interval and the pooled two-proportion z test."""

from __future__ import annotations

import math
from typing import NamedTuple

from services.scoring.metrics.intervals import Interval, wilson
from services.scoring.metrics.significance import NO_DIFFERENCE, Significance, from_z


class Share(NamedTuple):
    successes: int
    total: int

    @property
    def value(self) -> float | None:
        return 100 * self.successes / self.total if self.total else None

    def interval(self, confidence: float) -> Interval | None:
        return wilson(self.successes, self.total, confidence) if self.total else None


def change(now: Share, before: Share) -> Significance:
    successes, total = now.successes + before.successes, now.total + before.total
    # Nobody, or everybody, on both sides: no spread, and no difference either.
    if successes in (0, total):
        return NO_DIFFERENCE
    pooled = successes / total
    error = math.sqrt(pooled * (1 - pooled) * (1 / now.total + 1 / before.total))
    return from_z((now.successes / now.total - before.successes / before.total) / error)
