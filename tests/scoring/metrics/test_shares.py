import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.scoring.metrics.shares import Share, change

some_shares = st.builds(
    lambda successes, rest: Share(successes, successes + rest), st.integers(1, 10_000), st.integers(1, 10_000)
)


def test_value_is_in_percent_and_never_rounded() -> None:
    assert Share(2, 3).value == 200 / 3
    assert Share(0, 0).value is None
    assert Share(0, 0).interval(0.95) is None


def test_a_textbook_comparison() -> None:
    """120 of 200 against 90 of 200: pooled 0.525, error 0.0499375, z 3.00376."""
    z, p = change(Share(120, 200), Share(90, 200))
    assert z == pytest.approx(3.00376, abs=5e-6)
    assert p == pytest.approx(0.00267, abs=5e-6)


@given(some_shares, some_shares)
def test_the_square_of_z_is_pearsons_chi_squared(now: Share, before: Share) -> None:
    z, p = change(now, before)
    table = [[share.successes, share.total - share.successes] for share in (now, before)]
    expected = stats.chi2_contingency(table, correction=False)
    assert z is not None
    assert z * z == pytest.approx(expected.statistic, rel=1e-8, abs=1e-12)
    assert p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (
        math.copysign(1, z) == math.copysign(1, now.successes * before.total - before.successes * now.total) or z == 0
    )


@pytest.mark.parametrize(("now", "before"), [(Share(0, 5), Share(0, 9)), (Share(5, 5), Share(9, 9))])
def test_nobody_or_everybody_on_both_sides_is_no_difference(now: Share, before: Share) -> None:
    assert change(now, before) == (0.0, 1.0)
