"""The mean of scores on their raw scale, with Student's t interval and Welch's t test.

Moments are integer sums of tenths, so that the digits do not depend on the order of answers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from services.scoring.metrics import student
from services.scoring.metrics.cells import Cells, Scale, plain_number
from services.scoring.metrics.intervals import Interval, clamped
from services.scoring.metrics.significance import NO_DIFFERENCE, UNTESTABLE, Significance


class Mean(NamedTuple):
    """Number, sum and sum of squares of scores in tenths; the scale, None without answers, clamps the interval."""

    answers: int
    total: int
    squares: int
    scale: Scale | None

    @classmethod
    def of(cls, cells: Cells) -> Mean:
        """The moments of cells that hold one scale or none."""
        scale, histogram = cells.only_scale()
        return cls(
            sum(histogram.values()),
            sum(score * answers for score, answers in histogram.items()),
            sum(score * score * answers for score, answers in histogram.items()),
            scale,
        )

    @property
    def value(self) -> float | None:
        return self.total / (10 * self.answers) if self.answers else None

    def interval(self, confidence: float) -> Interval | None:
        if self.value is None or self.scale is None or self.answers < 2:
            return None
        half = student.quantile(confidence, self.answers - 1) * math.sqrt(self.squared_error())
        lowest, highest = plain_number(self.scale.minimum), plain_number(self.scale.maximum)
        return clamped(self.value, half, lowest, highest, "student_t")

    def squared_error(self) -> float:
        """The squared standard error of the mean, in squared points of the scale; needs two answers."""
        n = self.answers
        return (n * self.squares - self.total**2) / (100 * n * n * (n - 1))


def change(now: Mean, before: Mean) -> Significance:
    """Welch's t (in `z`). Without a spread on either side there is nothing to measure a difference against.

    Equal means are then "no difference"; unequal ones give no test, because two answers that agree by chance would
    otherwise count as certainty.
    """
    if now.value is None or before.value is None or min(now.answers, before.answers) < 2:
        return UNTESTABLE
    a, b = now.squared_error(), before.squared_error()
    difference = now.value - before.value
    if a + b == 0:
        return UNTESTABLE if difference else NO_DIFFERENCE
    freedom = (a + b) ** 2 / (a * a / (now.answers - 1) + b * b / (before.answers - 1))
    t = difference / math.sqrt(a + b)
    return Significance(t, student.two_sided_p(t, freedom))
