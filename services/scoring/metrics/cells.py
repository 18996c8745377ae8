"""Answers counted by scale and score: the only form in which scores reach a formula.

Scores and the ends of a scale are integer tenths (4.5 is 45), so that merging in another order gives the same digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


def plain_number(tenths: int) -> int | float:
    return tenths // 10 if tenths % 10 == 0 else tenths / 10


class Scale(NamedTuple):
    minimum: int
    maximum: int
    direction: str = "higher_better"

    def oriented(self, score: int) -> int:
        """The score with the best answer at the top, whatever the direction of the scale."""
        return score if self.direction == "higher_better" else self.minimum + self.maximum - score

    def as_json(self) -> dict[str, int | float | str]:
        ends: dict[str, int | float | str] = {"min": plain_number(self.minimum), "max": plain_number(self.maximum)}
        return ends if self.direction == "higher_better" else {**ends, "direction": self.direction}


def add_counts(total: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        total[name] = total.get(name, 0) + number


@dataclass
class Cells:
    """`scores` is scale -> score in tenths -> number of answers; `excluded` is reason -> number of answers."""

    scores: dict[Scale, dict[int, int]] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return sum(sum(histogram.values()) for histogram in self.scores.values())

    def add(self, scale: Scale, score: int, answers: int = 1) -> None:
        # A count that fell back to nothing must not make a scale appear: two scales void the value.
        if answers:
            histogram = self.scores.setdefault(scale, {})
            histogram[score] = histogram.get(score, 0) + answers

    def merge(self, other: Cells) -> None:
        for scale, histogram in other.scores.items():
            for score, answers in histogram.items():
                self.add(scale, score, answers)
        add_counts(self.excluded, other.excluded)

    def only_scale(self) -> tuple[Scale | None, dict[int, int]]:
        """The scale and its histogram, None and nothing without answers; for cells that do not mix scales."""
        return next(iter(self.scores.items()), (None, {}))

    def by_scale(self) -> dict[Scale, Cells]:
        """Each scale's answers apart, in the order of the scales; exclusions know no scale and stay behind."""
        return {scale: Cells({scale: dict(self.scores[scale])}) for scale in sorted(self.scores)}
