"""What a fact adds to the rollups: integer counts by metric, one dimension, day and score. Pure.

A cell belongs to a partition that its writer holds, so two consumers never wait for one row; a cell may be negative,
only the sum over partitions means something.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

# Two of these at once, the other dimensions, parts of days and other time zones are answered from the facts.
FEEDBACK_DIMENSIONS = ("journey_stage", "touchpoint", "channel", "store", "team", "segment", "language", "source")
DELIVERY_DIMENSIONS = ("store", "channel", "source")
# What is rolled up, by the metric that the cells carry.
DIMENSIONS = {
    **dict.fromkeys(("nps", "csat", "ces", "rating", "recommend"), FEEDBACK_DIMENSIONS),
    "late_delivery": DELIVERY_DIMENSIONS,
}
TOTAL = ""
_QUARTER = 900  # seconds
_QUARTER_MICROSECONDS, _QUARTERS_TO_2000 = _QUARTER * 1_000_000, 946_684_800 // _QUARTER

RETRACTED = "retracted"
NO_PROMISE = "no_promise"


class Cell(NamedTuple):
    """`excluded` is empty, or why the fact is not in the value; `score` is in tenths."""

    metric: str
    dimension: str
    value: str
    day: date
    scale_min: int
    scale_max: int
    direction: str
    score: int
    excluded: str
    partition: int


Deltas = Counter[Cell]


class Graded(NamedTuple):
    """An answer's score and scale in tenths, and its group: None for a comment. All None for a retraction."""

    metric: str | None
    direction: str | None
    score: int | None
    scale_min: int | None
    scale_max: int | None
    group: str | None


@dataclass(frozen=True, eq=False, slots=True)
class Alike:
    """What many answers have in common: equal ones have the same object, told from others by its address alone.

    `dimensions` in the order of FEEDBACK_DIMENSIONS, without the source.
    """

    graded: Graded
    dimensions: tuple[str | None, ...]


class Revision(NamedTuple):
    """What the rollups need of one revision of a feedback; `dimensions` in the order of FEEDBACK_DIMENSIONS.

    `time` is in seconds since 1970.
    """

    revision: int
    retracted: bool
    graded: Graded
    time: float
    dimensions: tuple[str | None, ...]


class Days:
    """The local day of a moment, remembered by quarter of an hour: every zone's offset is whole in those."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[float, date] = {}

    def __call__(self, moment: datetime) -> date:
        return self.at(moment.timestamp())

    def at(self, timestamp: float) -> date:
        """Of seconds since 1970."""
        return self._of(timestamp // _QUARTER)

    def all_at(self, moments: Iterable[int]) -> list[date]:
        """Of microseconds since 2000, each."""
        quarters = [moment // _QUARTER_MICROSECONDS for moment in moments]
        days = {quarter: self._of(quarter + _QUARTERS_TO_2000) for quarter in set(quarters)}
        return [days[quarter] for quarter in quarters]

    def _of(self, quarter: float) -> date:
        day = self._known.get(quarter)
        if day is None:
            if len(self._known) > 100_000:
                self._known.clear()
            day = self._known[quarter] = datetime.fromtimestamp(quarter * _QUARTER, self._zone).date()
        return day


def counted(revisions: Sequence[Revision]) -> tuple[Revision, str] | None:
    """Which revision of a feedback stands in the numbers, and whether it is excluded; None for a comment.

    A retraction is counted under the newest answer that is known; where none is, it has no time and no dimension yet.
    """
    if not revisions:
        return None
    newest = max(revisions) if len(revisions) > 1 else revisions[0]  # by revision, which comes first and is unique
    answer = newest if not newest.retracted else max((one for one in revisions if not one.retracted), default=None)
    if answer is None or answer.graded.score is None:
        return None
    return answer, RETRACTED if newest.retracted else ""


class Changes:
    """What a batch of feedback changes: equal answers are put together first, then spread over their dimensions."""

    def __init__(self, days: Days) -> None:
        self._days = days
        self._answers: Counter[tuple[Any, ...]] = Counter()

    def add(self, history: Sequence[Revision], sign: int) -> None:
        """A feedback's known revisions as they were (-1) or are (+1)."""
        if found := counted(history):
            answer, excluded = found
            self._answers[answer.graded, self._days.at(answer.time), answer.dimensions, excluded] += sign

    def add_first(self, alike: Iterable[Alike], senders: Iterable[str], moments: Iterable[int]) -> None:
        """Feedbacks of which one revision is known: a column each of what `add` counts, moments as `Days` has them."""
        same = Counter(zip(alike, senders, self._days.all_at(moments), strict=True))
        for (one, sender, day), n in same.items():
            self._answers[one.graded, day, (*one.dimensions, sender), ""] += n

    def cells(self, partition: int) -> Deltas:
        deltas = Deltas()
        for (graded, day, dimensions, excluded), n in self._answers.items():
            metric, direction, score, low, high, _ = graded
            if score is None:
                continue
            common = (day, low, high, direction, score, excluded, partition)
            deltas[Cell(metric, TOTAL, "", *common)] += n
            for dimension, value in zip(FEEDBACK_DIMENSIONS, dimensions, strict=True):
                if value is not None:
                    deltas[Cell(metric, dimension, value, *common)] += n
        return deltas


def add_delivery(
    deltas: Deltas, outcome: str, dimensions: Mapping[str, str | None], day: date, sign: int, partition: int
) -> None:
    """`late` and `on_time` count as 1 and 0 of a yes-or-no scale; `no_promise` is excluded."""
    excluded = NO_PROMISE if outcome == NO_PROMISE else ""
    common = (day, 0, 10, "lower_better", 10 if outcome == "late" else 0, excluded, partition)
    deltas[Cell._make(("late_delivery", TOTAL, "", *common))] += sign
    for dimension in DELIVERY_DIMENSIONS:
        if value := dimensions[dimension]:
            deltas[Cell._make(("late_delivery", dimension, value, *common))] += sign
