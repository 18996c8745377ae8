"""Which group an answer belongs to: one rule a feedback metric, in integer arithmetic, after direction.

Every answer that has a score has exactly one group. Where a scale is so short that its top boxes reach into the lowest
40 %, detractor wins: nobody who was let down is counted as content.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from services.scoring.metrics.cells import Cells, Scale

Group = Literal["promoter", "passive", "detractor", "positive", "neutral"]

NPS_GROUPS: tuple[Group, ...] = ("promoter", "passive", "detractor")
OTHER_GROUPS: tuple[Group, ...] = ("positive", "neutral", "detractor")

POINT = 10  # one whole point of a scale, in tenths


def _nps(score: int, scale: Scale) -> Group:
    oriented = scale.oriented(score)
    if oriented >= 9 * POINT:
        return "promoter"
    return "passive" if oriented > 6 * POINT else "detractor"


def _csat(score: int, scale: Scale) -> Group:
    points = scale.maximum - scale.minimum + POINT
    boxes = 1 if points <= 3 * POINT else 2 if points <= 7 * POINT else 3
    return _by_top_boxes(score, scale, boxes)


def _rating(score: int, scale: Scale) -> Group:
    return _by_top_boxes(score, scale, 2)


def _ces(score: int, scale: Scale) -> Group:
    if _in_lowest_two_fifths(score, scale):
        return "detractor"
    # The first whole score above the midpoint: 5 of 1–7, 4 of 1–5.
    easy = ((scale.minimum + scale.maximum) // (2 * POINT) + 1) * POINT
    return "positive" if scale.oriented(score) >= easy else "neutral"


def _recommend(score: int, scale: Scale) -> Group:
    return "positive" if scale.oriented(score) == scale.maximum else "detractor"


def _by_top_boxes(score: int, scale: Scale, boxes: int) -> Group:
    if _in_lowest_two_fifths(score, scale):
        return "detractor"
    lowest_of_top = scale.maximum - (boxes - 1) * POINT
    return "positive" if scale.oriented(score) >= lowest_of_top else "neutral"


def _in_lowest_two_fifths(score: int, scale: Scale) -> bool:
    return 5 * (scale.oriented(score) - scale.minimum) < 2 * (scale.maximum - scale.minimum)


RULES: dict[str, Callable[[int, Scale], Group]] = {
    "nps": _nps,
    "csat": _csat,
    "ces": _ces,
    "rating": _rating,
    "recommend": _recommend,
}


def group(metric: str, score: int | None, scale: Scale | None) -> Group | None:
    """The group of one answer, its score in tenths; None for a comment, which has no score."""
    if score is None or scale is None:
        return None
    return RULES[metric](score, scale)


def is_detractor(metric: str, score: int | None, scale: Scale | None) -> bool:
    return group(metric, score, scale) == "detractor"


def count_groups(metric: str, cells: Cells) -> dict[str, int]:
    """Group -> number of answers over all scales, groups without answers left out."""
    rule = RULES[metric]
    counts: dict[str, int] = {}
    for scale, histogram in cells.scores.items():
        for score, answers in histogram.items():
            name = rule(score, scale)
            counts[name] = counts.get(name, 0) + answers
    return counts
