from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.scoring.pages.dates import clock, duration, long_range, near_day, short_day
from services.scoring.pages.wording import wording

PL, EN = wording("pl"), wording("en")
WARSAW = ZoneInfo("Europe/Warsaw")
SPACE = "\N{NO-BREAK SPACE}"


def test_days() -> None:
    assert short_day(date(2026, 11, 24), PL) == "24.11"
    assert short_day(date(2026, 3, 5), PL) == "5.03"
    assert short_day(date(2026, 11, 24), EN) == "24 Nov"


def test_ranges_name_a_year_once() -> None:
    assert long_range(date(2026, 8, 26), date(2026, 11, 24), PL) == "26 sierpnia – 24 listopada 2026"
    assert long_range(date(2026, 8, 26), date(2026, 11, 24), EN) == "26 August – 24 November 2026"
    assert long_range(date(2026, 12, 1), date(2027, 2, 28), PL) == "1 grudnia 2026 – 28 lutego 2027"


def test_the_clock_has_no_leading_zero() -> None:
    assert clock(datetime(2026, 11, 24, 9, 5, tzinfo=WARSAW)) == "9:05"
    assert clock(datetime(2026, 11, 24, 0, 0, tzinfo=WARSAW)) == "0:00"


def test_near_days_by_the_calendar() -> None:
    now = datetime(2026, 11, 24, 23, 30, tzinfo=WARSAW)
    assert near_day(now + timedelta(minutes=20), now, PL) == "dziś"
    assert near_day(now + timedelta(minutes=40), now, PL) == "jutro"
    assert near_day(now + timedelta(days=2), now, PL) == "26.11"
    assert near_day(now + timedelta(days=1), now, EN) == "tomorrow"


@pytest.mark.parametrize(
    ("span", "polish", "english"),
    [
        (timedelta(seconds=50), "0 min", "0 min"),
        (timedelta(minutes=29, seconds=59), "29 min", "29 min"),
        (timedelta(hours=4, minutes=5), "4 h 05 min", "4 h 05 min"),
        (timedelta(hours=47, minutes=59), "47 h 59 min", "47 h 59 min"),
        (timedelta(days=2), "2 dni", "2 days"),
        (timedelta(days=22, hours=5), "22 dni", "22 days"),
    ],
)
def test_durations(span: timedelta, polish: str, english: str) -> None:
    assert duration(span, PL).replace(SPACE, " ") == polish
    assert duration(span, EN).replace(SPACE, " ") == english
