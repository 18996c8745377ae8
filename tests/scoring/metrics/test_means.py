import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.scoring.metrics.cells import Cells, Scale
from services.scoring.metrics.means import Mean, change
from services.scoring.metrics.medians import Median
from tests.scoring.metrics.samples import ONE_TO_FIVE, answers

scores = st.lists(st.integers(10, 50), min_size=2, max_size=60)
spread_scores = scores.filter(lambda tenths: len(set(tenths)) > 1)


def mean_of(tenths: list[int], scale: Scale = ONE_TO_FIVE) -> Mean:
    cells = Cells()
    for score in tenths:
        cells.add(scale, score)
    return Mean.of(cells)


def test_a_mean_worked_by_hand() -> None:
    """3, 4, 4, 5: mean 4, standard deviation 0.8165, error 0.40825, t(3) 3.18245."""
    mean = mean_of([30, 40, 40, 50], Scale(0, 100))
    interval = mean.interval(0.95)
    assert mean.value == 4.0
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((4 - 1.299230, 4 + 1.299230), abs=1e-5)
    assert interval.method == "student_t"


def test_the_mean_of_a_real_marketplace() -> None:
    """14,944 reviews of 15,000 Olist orders; the published mean is 4.0841."""
    stars = answers(ONE_TO_FIVE, {1: 1701, 2: 478, 3: 1281, 4: 2887, 5: 8597})
    assert Mean.of(stars).value == pytest.approx(4.0841, abs=5e-5)


def test_a_scale_that_runs_the_other_way_keeps_its_raw_mean() -> None:
    assert mean_of([10, 20], Scale(10, 50, "lower_better")).value == 1.5


def test_the_interval_is_clamped_to_the_scale() -> None:
    interval = mean_of([10, 50]).interval(0.95)
    assert interval is not None
    assert (interval.low, interval.high) == (1, 5)


@pytest.mark.parametrize(("tenths", "value"), [([], None), ([45], 4.5)])
def test_under_two_answers_there_is_no_interval(tenths: list[int], value: float | None) -> None:
    assert mean_of(tenths).value == value
    assert mean_of(tenths).interval(0.95) is None


@given(spread_scores, st.floats(0.5, 0.999))
def test_the_interval_agrees_with_scipy(tenths: list[int], confidence: float) -> None:
    points = [score / 10 for score in tenths]
    mean = mean_of(tenths, Scale(-10_000, 10_000))
    low, high = stats.t.interval(confidence, len(points) - 1, sum(points) / len(points), stats.sem(points))
    interval = mean.interval(confidence)
    assert interval is not None
    assert (max(-1000.0, low), min(1000.0, high)) == pytest.approx((interval.low, interval.high), rel=1e-8, abs=1e-8)


@given(spread_scores, spread_scores)
def test_welch_agrees_with_scipy(now: list[int], before: list[int]) -> None:
    z, p = change(mean_of(now), mean_of(before))
    expected = stats.ttest_ind([score / 10 for score in now], [score / 10 for score in before], equal_var=False)
    assert z == pytest.approx(expected.statistic, rel=1e-8, abs=1e-8)
    assert p == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-10)


@given(
    st.lists(st.integers(10, 50), min_size=1).flatmap(
        lambda tenths: st.tuples(st.just(tenths), st.permutations(tenths))
    )
)
def test_the_order_of_answers_does_not_change_a_digit(orders: tuple[list[int], list[int]]) -> None:
    straight, shuffled = mean_of(orders[0]), mean_of(orders[1])
    assert straight.value == shuffled.value
    assert straight.interval(0.95) == shuffled.interval(0.95)


def test_welch_with_a_spread_on_one_side_only() -> None:
    """1, 3 against 4, 4: error 1, so t is -2 at 1 degree of freedom: p = 1 - 2/π·arctan 2."""
    assert change(mean_of([10, 30]), mean_of([40, 40])) == pytest.approx((-2.0, 0.2951672))


def test_without_any_spread_equal_means_are_no_difference_and_others_cannot_be_tested() -> None:
    assert change(mean_of([40, 40]), mean_of([40, 40, 40])) == (0.0, 1.0)
    assert change(mean_of([40, 40]), mean_of([30, 30])) == (None, None)


def test_one_answer_on_a_side_cannot_be_tested() -> None:
    assert change(mean_of([40]), mean_of([30, 40])) == (None, None)
    assert change(mean_of([30, 40]), mean_of([40])) == (None, None)


def test_a_median_is_in_hours_and_has_no_interval() -> None:
    assert Median([7200.0, 3600.0, 36000.0]).value == 2.0
    assert Median([3600.0, 7200.0]).value == 1.5
    assert Median([]).value is None
    assert Median([3600.0]).interval(0.95) is None
