"""The median of durations in hours. It carries no interval and no test."""

from __future__ import annotations

import statistics
from typing import NamedTuple


class Median(NamedTuple):
    seconds: list[float]

    @property
    def value(self) -> float | None:
        return statistics.median(self.seconds) / 3600 if self.seconds else None

    def interval(self, confidence: float) -> None:
        return None
