"""Where the lines of the small drawings go, in units of their view boxes. Pure: templates only put them down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

BAR_WIDTH = 184.0
_BAR_MARGIN = 4.0
_LEAST_BOX = 3.0  # an interval is never so narrow that its box cannot be seen

TREND_WIDTH, TREND_HEIGHT = 168.0, 40.0
_TREND_MARGIN = 5.0


@dataclass(frozen=True)
class Bar:
    """`zero` is where the zero of a scale with negative values is marked, else None."""

    left: float
    width: float
    tick: float
    zero: float | None


def interval_bar(low: float, value: float, high: float, scale: tuple[float, float]) -> Bar:
    def place(at: float) -> float:
        share = (at - scale[0]) / (scale[1] - scale[0])
        return round(_BAR_MARGIN + share * (BAR_WIDTH - 2 * _BAR_MARGIN), 1)

    left, right = place(low), place(high)
    missing = max(0.0, _LEAST_BOX - (right - left))
    zero = place(0) if scale[0] < 0 < scale[1] else None
    return Bar(round(left - missing / 2, 1), round(right - left + missing, 1), place(value), zero)


class Week(NamedTuple):
    """A point of a trend; `interval` is None where too few answers carry one."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Trend:
    """`lines` and `bands` are SVG points, one entry an unbroken stretch, `dots` stretches of one week.

    The dot of the `last` week is left open while it is still running.
    """

    lines: list[str]
    bands: list[str]
    dots: list[tuple[float, float]]
    last: tuple[float, float]
    running: bool


def trend(weeks: Sequence[Week | None], least_span: float, *, running: bool) -> Trend:
    """A week that is None is a gap; at least one is not. `least_span` keeps noise from filling the height."""
    known = {at: week for at, week in enumerate(weeks) if week}
    banded = {at: week.interval for at, week in known.items() if week.interval}
    values = [week.value for week in known.values()] + [end for ends in banded.values() for end in ends]
    place = _Places(len(weeks), min(values), max(values), least_span)
    lines = [[place(at, known[at].value) for at in stretch] for stretch in _stretches(known)]
    bands = [
        [place(at, banded[at][1]) for at in stretch] + [place(at, banded[at][0]) for at in reversed(stretch)]
        for stretch in _stretches(banded)
    ]
    return Trend(
        lines=[_points(line) for line in lines if len(line) > 1],
        bands=[_points(band) for band in bands if len(band) > 2],
        dots=[line[0] for line in lines[:-1] if len(line) == 1],
        last=lines[-1][-1],
        running=running,
    )


class _Places:
    """From the number of a week and a value to a point of the drawing."""

    def __init__(self, weeks: int, lowest: float, highest: float, least_span: float) -> None:
        span = max(highest - lowest, least_span)
        self._bottom = (lowest + highest - span) / 2
        self._rise = (TREND_HEIGHT - 2 * _TREND_MARGIN) / span
        self._step = (TREND_WIDTH - 2 * _TREND_MARGIN) / max(1, weeks - 1)

    def __call__(self, at: int, value: float) -> tuple[float, float]:
        up = (value - self._bottom) * self._rise
        return round(_TREND_MARGIN + at * self._step, 1), round(TREND_HEIGHT - _TREND_MARGIN - up, 1)


def _stretches(numbers: Iterable[int]) -> list[list[int]]:
    """Rising numbers, cut wherever one is missing."""
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and stretches[-1][-1] == number - 1:
            stretches[-1].append(number)
        else:
            stretches.append([number])
    return stretches


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
