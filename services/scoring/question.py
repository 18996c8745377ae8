"""What is asked of a metric: window, filters, grouping. Pure; every mistake names its parameter and the remedy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.scoring.metrics.buckets import cut
from services.scoring.metrics.definition import Definition
from services.scoring.metrics.windows import Window, WindowError, parse_comparison, parse_window
from shared.events.feedback import DIMENSIONS

FEEDBACK_DIMENSIONS = (*DIMENSIONS, "source")
DELIVERY_DIMENSIONS = ("store", "channel", "source")
MAX_GROUPS = 4
LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.5, 0.9999


class QuestionError(WindowError):
    """The same of what is not about time: a dimension, a confidence."""


@dataclass(frozen=True)
class Question:
    """`buckets` is empty when no series was asked for; `filters` is dimension -> values, either of which may match."""

    definition: Definition
    window: Window
    buckets: Sequence[Window]
    group_by: Sequence[str]
    filters: Mapping[str, Sequence[str]]
    compared: Window | None
    confidence: float

    def of(self, window: Window) -> "Question":
        """The same about the whole of another window."""
        return replace(self, window=window, buckets=[], compared=None)


def dimensions_of(definition: Definition) -> tuple[str, ...]:
    """Feedback metrics and those of the loop have the dimensions of the feedback, deliveries those of the order."""
    return DELIVERY_DIMENSIONS if definition.id == "late_delivery" else FEEDBACK_DIMENSIONS


def ask(
    definition: Definition,
    *,
    start: str | None,
    end: str | None,
    timezone: str,
    granularity: str | None,
    group_by: str | None,
    compare_to: str | None,
    confidence: float,
    filters: Mapping[str, Sequence[str]],
    now: datetime,
) -> Question:
    """Raises WindowError, or QuestionError, which is one."""
    window = parse_window(start, end, timezone, now)
    if not LEAST_CONFIDENCE <= confidence <= MOST_CONFIDENCE:
        raise QuestionError("confidence", f"{confidence} is not between {LEAST_CONFIDENCE} and {MOST_CONFIDENCE}")
    groups = _groups(definition, group_by)
    for name in filters:
        _check_dimension(definition, name, name)
    return Question(
        definition,
        window,
        cut(window, granularity) if granularity else [],
        groups,
        filters,
        parse_comparison(compare_to, window) if compare_to else None,
        confidence,
    )


def _groups(definition: Definition, group_by: str | None) -> list[str]:
    names = group_by.split(",") if group_by else []
    for name in names:
        _check_dimension(definition, "group_by", name)
    if len(set(names)) < len(names) or len(names) > MAX_GROUPS:
        raise QuestionError("group_by", f"name at most {MAX_GROUPS} different dimensions, separated by commas")
    return names


def _check_dimension(definition: Definition, field: str, name: str) -> None:
    known = dimensions_of(definition)
    if name not in known:
        raise QuestionError(field, f"{definition.id} has no dimension {name!r}: use one of {', '.join(known)}")
