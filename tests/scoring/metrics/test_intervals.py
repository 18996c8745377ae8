import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.scoring.metrics.intervals import wilson, z_quantile
from services.scoring.metrics.significance import from_z

shares = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
confidences = st.floats(0.01, 0.9999)


def test_the_normal_quantile_for_95_percent() -> None:
    assert z_quantile(0.95) == pytest.approx(1.959963984540054, rel=1e-15)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"), [(80, 100, 71.12, 86.66), (3, 3, 43.85, 100.0), (0, 3, 0.0, 56.15)]
)
def test_wilson_known_answers(successes: int, n: int, low: float, high: float) -> None:
    interval = wilson(successes, n, 0.95)
    assert (round(interval.low, 2), round(interval.high, 2), interval.method) == (low, high, "wilson")


@given(shares, confidences)
def test_wilson_agrees_with_scipy(share: tuple[int, int], confidence: float) -> None:
    interval = wilson(*share, confidence)
    expected = stats.binomtest(*share).proportion_ci(confidence, method="wilson")
    assert interval.low == pytest.approx(100 * expected.low, rel=1e-9, abs=1e-9)
    assert interval.high == pytest.approx(100 * expected.high, rel=1e-9, abs=1e-9)


@given(shares, confidences)
def test_wilson_holds_the_share_and_stays_within_0_and_100(share: tuple[int, int], confidence: float) -> None:
    successes, n = share
    interval = wilson(successes, n, confidence)
    assert 0 <= interval.low <= 100 * successes / n <= interval.high <= 100


@given(shares)
def test_wilson_of_the_opposite_is_mirrored(share: tuple[int, int]) -> None:
    successes, n = share
    interval, opposite = wilson(successes, n, 0.95), wilson(n - successes, n, 0.95)
    assert interval.low == pytest.approx(100 - opposite.high, abs=1e-9)


@pytest.mark.parametrize("z", [0.0, 1.959963984540054, -3.0, 12.0, 30.0])
def test_two_sided_p_of_z(z: float) -> None:
    assert from_z(z).p == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-12)
