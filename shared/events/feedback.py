"""`petla.feedback`: what a customer answered, one question an event, with its scale and direction.

Written by ingest, read by scoring. `feedback.received.v1` and `feedback.updated.v1` carry a whole answer,
`feedback.retracted.v1` only the answer's name.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Literal, get_args

from msgspec import Struct

from shared.events.fields import Direction, EventError, Name, Text

RECEIVED = "feedback.received.v1"
UPDATED = "feedback.updated.v1"
RETRACTED = "feedback.retracted.v1"

Metric = Literal["nps", "csat", "ces", "rating", "recommend", "comment"]
METRICS: tuple[str, ...] = get_args(Metric)

DIMENSIONS = (
    "journey_stage",
    "touchpoint",
    "channel",
    "product",
    "store",
    "agent",
    "team",
    "segment",
    "campaign",
    "survey_id",
    "language",
    "experiment",
    "variant",
)

_DEFAULT_SCALE = {
    "nps": (0.0, 10.0),
    "csat": (1.0, 5.0),
    "rating": (1.0, 5.0),
    "ces": (1.0, 7.0),
    "recommend": (0.0, 1.0),
}
_FIXED_SCALE = ("nps", "recommend")
_SCALE_LIMIT = 1000


class Answer(Struct, omit_defaults=True, gc=False):
    """One answered question. `score` lies on `scale_min`…`scale_max`; a `comment` has neither.

    `followup_id` is the follow-up that the question was asked about, once somebody had dealt with it.
    """

    metric: Metric
    score: float | None = None
    scale_min: float | None = None
    scale_max: float | None = None
    direction: Direction = "higher_better"
    feedback_id: Name | None = None
    text: Text | None = None
    language: Name | None = None
    journey_stage: Name | None = None
    touchpoint: Name | None = None
    channel: Name | None = None
    customer: Name | None = None
    order_id: Name | None = None
    contact_id: Name | None = None
    product: Name | None = None
    store: Name | None = None
    agent: Name | None = None
    team: Name | None = None
    segment: Name | None = None
    campaign: Name | None = None
    survey_id: Name | None = None
    submission_id: Name | None = None
    experiment: Name | None = None
    variant: Name | None = None
    followup_id: Name | None = None

    def check(self) -> None:
        """Fill the scale that the metric implies and refuse a score that does not lie on it."""
        if self.metric == "comment":
            _check_comment(self)
            return
        if self.score is None:
            raise EventError("data.score", "missing", f"a {self.metric} answer needs a score")
        self.score, self.scale_min, self.scale_max = _on_scale(
            self.metric, self.score, self.scale_min, self.scale_max, self.direction
        )

    @staticmethod
    def check_all(answers: "Sequence[Answer]") -> None:
        """Each. Few are different in what is checked, and most have their scale already."""
        if not all(_is_filled(*one) for one in set(map(_checked, answers))):
            for answer in answers:
                answer.check()


_checked = attrgetter("metric", "score", "scale_min", "scale_max", "direction")


def _is_filled(metric: str, score: float | None, low: float | None, high: float | None, direction: str) -> bool:
    """Whether there is nothing to fill in. EventError as `Answer.check`."""
    if metric == "comment" or score is None:
        return metric == "comment" and (score, low, high) == (None, None, None)
    return _on_scale(metric, score, low, high, direction) == (score, low, high)


class Retraction(Struct):
    """The answer named `feedback_id` is taken back."""

    feedback_id: Name


def _check_comment(answer: Answer) -> None:
    for field in ("score", "scale_min", "scale_max"):
        if getattr(answer, field) is not None:
            raise EventError(f"data.{field}", "not_allowed", "a comment has no score: leave it out, or name its metric")


@lru_cache(maxsize=4096)
def _on_scale(
    metric: str, score: float, low: float | None, high: float | None, direction: str
) -> tuple[float, float, float]:
    """Score and ends of the scale. Of all answers few are different: what was found right once is right."""
    implied = _DEFAULT_SCALE[metric]
    minimum, maximum = implied[0] if low is None else low, implied[1] if high is None else high
    if (minimum, maximum) != implied or direction != "higher_better":
        _check_scale(metric, minimum, maximum)
    _check_score(metric, score, minimum, maximum)
    return score + 0.0, minimum + 0.0, maximum + 0.0  # -0.0 becomes 0.0: one content for one answer


def _check_scale(metric: str, minimum: float, maximum: float) -> None:
    for field, value in (("scale_min", minimum), ("scale_max", maximum)):
        if not math.isfinite(value) or abs(value) > _SCALE_LIMIT or not _has_one_decimal(value):
            raise EventError(
                f"data.{field}", "out_of_range", f"a scale ends between -{_SCALE_LIMIT} and {_SCALE_LIMIT}, one decimal"
            )
    if metric in _FIXED_SCALE:
        low, high = _DEFAULT_SCALE[metric]
        raise EventError(
            "data.scale_max", "fixed_scale", f"{metric} is always {low:g}–{high:g}, higher_better: leave it out"
        )
    if minimum >= maximum:
        raise EventError("data.scale_max", "out_of_range", f"{maximum:g} is not above scale_min {minimum:g}")


def _check_score(metric: str, score: float, minimum: float, maximum: float) -> None:
    if score < minimum:
        raise EventError("data.score", "out_of_range", f"{score:g} is below scale_min {minimum:g}")
    if score > maximum:
        raise EventError("data.score", "out_of_range", f"{score:g} is above scale_max {maximum:g}")
    if metric in _FIXED_SCALE and score != int(score):
        raise EventError("data.score", "not_whole", f"{score!r}: a {metric} score is a whole number")
    if not _has_one_decimal(score):
        raise EventError("data.score", "too_precise", f"{score!r} has more than one decimal: round it before sending")


def _has_one_decimal(value: float) -> bool:
    return round(value, 1) == value


def tenths(value: float) -> int:
    """A score or the end of a scale as integer tenths: sums in another order keep their digits."""
    return round(value * 10)
