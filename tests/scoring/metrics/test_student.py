import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.scoring.metrics import student


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 30, 39, 40, 41, 99, 1_000, 100_000, 1_000_000])
@pytest.mark.parametrize("confidence", [0.01, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999999])
def test_quantiles_agree_with_scipy(freedom: int, confidence: float) -> None:
    assert student.quantile(confidence, freedom) == pytest.approx(stats.t.isf((1 - confidence) / 2, freedom), rel=1e-10)


@given(st.floats(0.001, 50), st.floats(1, 100_000))
def test_tails_agree_with_scipy(t: float, freedom: float) -> None:
    expected = 2 * stats.t.sf(t, freedom)
    assert student.two_sided_p(t, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-12)
    assert student.two_sided_p(-t, freedom) == student.two_sided_p(t, freedom)


def test_a_table_of_quantiles_as_printed_in_textbooks() -> None:
    assert [round(student.quantile(0.95, freedom), 3) for freedom in (1, 2, 5, 10, 30, 120)] == [
        12.706,
        4.303,
        2.571,
        2.228,
        2.042,
        1.980,
    ]


@pytest.mark.parametrize("t", [0.0, 1e-200])
def test_no_distance_at_all_is_certain_to_be_reached(t: float) -> None:
    assert student.two_sided_p(t, 5) == 1.0


def test_an_extreme_confidence_still_has_a_quantile() -> None:
    confidence = 1 - 1e-12
    assert student.quantile(confidence, 1) == pytest.approx(stats.t.isf((1 - confidence) / 2, 1), rel=1e-6)
