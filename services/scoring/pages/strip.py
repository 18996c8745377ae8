"""The deadline strip: a day of deadlines before now and a day after it, hour by hour. Pure geometry.

Overdue, near and later differ by shape first: diamond, disc, circle. An hour is never taller than four marks: with more
deadlines, a mark stands for several, and the drawing says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from services.scoring.pages.dates import clock, short_day
from services.scoring.pages.wording import Wording

WIDTH, HEIGHT = 1232, 112
_LANE, _GAP, _HOUR_WIDTH = 96, 16, 21
HOURS = 24
SOON_HOURS = 3
_START = _LANE + _GAP
NOW = _START + HOURS * _HOUR_WIDTH
_END = NOW + HOURS * _HOUR_WIDTH
_LATER = _END + _GAP
BASE = 84
_MARK = 14
_MOST_MARKS = 4
_EVERY_HOURS = 4


class Mark(NamedTuple):
    """`shape` is diamond, disc or circle; the place is its middle."""

    shape: str
    x: float
    y: float


class Label(NamedTuple):
    x: float
    text: str


@dataclass(frozen=True)
class Strip:
    """`earlier` and `later` are the numbers beyond both ends, empty where there are none."""

    marks: list[Mark]
    ticks: list[Label]
    headings: list[Label]
    earlier: str
    later: str
    lanes: tuple[Label, Label]
    each: str
    now: str
    overdue: int
    day: int
    beyond: int
    sentence: str
    start: int = _START
    now_x: int = NOW
    end: int = _END
    later_x: int = _LATER
    lane: int = _LANE
    base: int = BASE
    width: int = WIDTH
    height: int = HEIGHT


def edges(now: datetime) -> list[datetime]:
    """The hours that `draw` wants the deadlines counted by: `HOURS` before now, `HOURS` after."""
    return [now + timedelta(hours=hour) for hour in range(-HOURS, HOURS + 1)]


def draw(due: Sequence[int], now: datetime, wording: Wording) -> Strip:
    """`due` counts by `edges`, one number more than those; `now` in the zone of the page."""
    overdue, day, later = sum(due[: HOURS + 1]), sum(due[HOURS + 1 : -1]), due[-1]
    each = _each(max(due[1:-1]))
    spoken = {name: wording.numerals.plain(n) for name, n in (("overdue", overdue), ("day", day), ("later", later))}
    return Strip(
        marks=list(_marks(due, each)),
        ticks=list(_ticks(now, wording)),
        headings=[
            Label(0, wording.text("strip.overdue", n=spoken["overdue"])),
            Label(NOW + 56, wording.text("strip.day", n=spoken["day"])),
            Label(_LATER, wording.text("strip.later", n=spoken["later"])),
        ],
        earlier=wording.numerals.plain(due[0]) if due[0] else "",
        later=spoken["later"] if later else "",
        lanes=(
            Label(_LANE / 2, wording.text("strip.earlier.lane")),
            Label(_LATER + _LANE / 2, wording.text("strip.later.lane")),
        ),
        each=wording.text("strip.each", n=wording.numerals.plain(each)) if each > 1 else "",
        now=wording.text("strip.now", at=clock(now)),
        overdue=overdue,
        day=day,
        beyond=later,
        sentence=wording.text("strip.sentence", **spoken),
    )


def _each(most: int) -> int:
    """How many deadlines a mark stands for: 1, 2, 5, 10, 20, 50 …"""
    each = 1
    while most > each * _MOST_MARKS:
        each = each * 5 // 2 if str(each)[0] == "2" else each * 2
    return each


def _marks(due: Sequence[int], each: int) -> Iterator[Mark]:
    for hour, n in enumerate(due[1:-1]):
        shape = "diamond" if hour < HOURS else "disc" if hour < HOURS + SOON_HOURS else "circle"
        for row in range(-(-n // each)):
            yield Mark(shape, _START + (hour + 0.5) * _HOUR_WIDTH, BASE - 8 - row * _MARK)


def _ticks(now: datetime, wording: Wording) -> Iterator[Label]:
    """Full hours of the clock; a midnight tells the day that begins."""
    whole = now.replace(minute=0, second=0, microsecond=0)
    for away in range(-HOURS + 1, HOURS + 1):
        moment = whole + timedelta(hours=away)
        x = NOW + (moment - now) / timedelta(hours=1) * _HOUR_WIDTH
        if moment.hour % _EVERY_HOURS == 0 and _START <= x <= _END:
            yield Label(round(x, 1), clock(moment) if moment.hour else short_day(moment.date(), wording))
