"""Confidence intervals in the unit of their metric, and the normal quantile they rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Interval:
    low: float
    high: float
    method: str

    def as_json(self) -> dict[str, float | str]:
        return {"low": self.low, "high": self.high, "method": self.method}


def clamped(centre: float, half: float, lowest: float, highest: float, method: str) -> Interval:
    return Interval(max(lowest, centre - half), min(highest, centre + half), method)


def z_quantile(confidence: float) -> float:
    """How many standard errors a two-sided interval reaches; confidence lies between 0 and 1, both excluded."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(successes: int, n: int, confidence: float) -> Interval:
    """The score interval of a share in percent (Wilson 1927), without continuity correction; n is at least 1."""
    z = z_quantile(confidence)
    centre = (successes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(successes * (n - successes) / n + z * z / 4)
    # At "none" and "all" the end is exact by algebra; rounding would leave it a hair inside.
    low = 0.0 if successes == 0 else 100 * (centre - half)
    high = 100.0 if successes == n else 100 * (centre + half)
    return Interval(low, high, "wilson")
