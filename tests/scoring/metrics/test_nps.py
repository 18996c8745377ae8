import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.metrics.nps import NetPromoter, change

counted = st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)).filter(any)


@pytest.mark.parametrize(
    ("promoters", "detractors", "answers", "value", "low", "high"),
    [
        (50, 20, 100, 30.0, 14.05, 44.20),
        (5, 2, 10, 30.0, -19.05, 65.20),
        (3, 0, 3, 100.0, -6.58, 100.0),
        (0, 0, 5, 0.0, -30.01, 30.01),
        (60, 15, 100, 45.0, 29.34, 58.04),
    ],
)
def test_value_and_interval(
    promoters: int, detractors: int, answers: int, value: float, low: float, high: float
) -> None:
    score = NetPromoter(promoters, detractors, answers)
    interval = score.interval(0.95)
    assert score.value == value
    assert interval is not None
    assert (round(interval.low, 2), round(interval.high, 2), interval.method) == (low, high, "adjusted_wald")


def test_no_answers_have_neither_value_nor_interval() -> None:
    assert NetPromoter(0, 0, 0).value is None
    assert NetPromoter(0, 0, 0).interval(0.95) is None


def test_thirty_to_forty_five_is_no_change_at_a_hundred_answers_each() -> None:
    z, p = change(NetPromoter(60, 15, 100), NetPromoter(50, 20, 100))
    assert z == pytest.approx(1.3716, abs=5e-5)
    assert p == pytest.approx(0.1702, abs=5e-5)


def test_thirty_to_forty_five_is_a_change_at_a_thousand_answers_each() -> None:
    z, p = change(NetPromoter(600, 150, 1000), NetPromoter(500, 200, 1000))
    assert z == pytest.approx(4.40, abs=5e-3)
    assert p is not None
    assert p < 0.0001


def test_unanimous_sides_can_be_compared() -> None:
    z, p = change(NetPromoter(3, 0, 3), NetPromoter(0, 3, 3))
    assert z is not None
    assert p is not None
    assert z > 0
    assert 0 < p < 1


@pytest.mark.parametrize(("difference", "answers"), [(20, 240), (15, 426), (10, 958), (5, 3831)])
def test_the_interval_is_as_wide_as_the_published_sample_sizes_need(difference: int, answers: int) -> None:
    """Answers a side that show a difference with 80 % power, at 50 % promoters and 20 % detractors on both sides."""
    interval = NetPromoter(answers // 2, answers // 5, answers).interval(0.95)
    assert interval is not None
    error = (interval.high - interval.low) / 2 / 1.959964
    assert (1.959964 + 0.841621) * math.sqrt(2) * error == pytest.approx(difference, rel=0.015)


@given(counted)
def test_the_interval_holds_its_adjusted_point_and_stays_on_the_scale(groups: tuple[int, int, int]) -> None:
    promoters, passives, detractors = groups
    score = NetPromoter(promoters, detractors, promoters + passives + detractors)
    point, variance = score.adjusted()
    interval = score.interval(0.95)
    assert interval is not None
    assert -100 <= interval.low < point < interval.high <= 100
    assert variance > 0


@given(counted, counted)
def test_comparing_the_other_way_round_only_turns_the_sign(a: tuple[int, int, int], b: tuple[int, int, int]) -> None:
    now, before = NetPromoter(a[0], a[1], sum(a)), NetPromoter(b[0], b[1], sum(b))
    there, back = change(now, before), change(before, now)
    assert there.z == -(back.z or 0.0)
    assert there.p == back.p
