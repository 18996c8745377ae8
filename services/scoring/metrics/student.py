"""Student's t distribution, to about ten digits from 1 to 10 million degrees of freedom.

The tail is the regularized incomplete beta function, `P(|T| >= t) = I_x(f/2, 1/2)` at `x = f/(f + t²)`, by its
continued fraction (Abramowitz & Stegun 26.5.8, modified Lentz); the quantile is its inverse by Newton's method.
"""

from __future__ import annotations

import math

from services.scoring.metrics.intervals import z_quantile

_TINY = 1e-300
_PRECISION = 1e-15
_STEPS = 10_000


def two_sided_p(t: float, freedom: float) -> float:
    """The probability of a value at least as far from 0 as `t`; `freedom` need not be whole."""
    if t * t == 0:
        return 1.0
    half = freedom / 2
    inside, outside = freedom / (freedom + t * t), t * t / (freedom + t * t)
    log_front = _log_gamma_half_step(half) - half * math.log1p(t * t / freedom) + math.log(outside / math.pi) / 2
    # Each fraction converges fast on its own side of the beta distribution's bulk.
    if inside < (half + 1) / (half + 2.5):
        return math.exp(log_front) * _beta_fraction(half, 0.5, inside) / half
    return 1 - 2 * math.exp(log_front) * _beta_fraction(0.5, half, outside)


def quantile(confidence: float, freedom: float) -> float:
    """The t that `P(|T| < t) = confidence`, for a two-sided interval."""
    t = z_quantile(confidence)
    # The tail is convex and t lies above z: from z, Newton climbs to the answer and never passes it.
    for _ in range(_STEPS):
        step = (two_sided_p(t, freedom) - (1 - confidence)) / (2 * _density(t, freedom))
        t += step
        if step <= _PRECISION * t:
            return t
    raise ArithmeticError(f"no Student quantile for confidence {confidence} and {freedom} degrees of freedom")


def _density(t: float, freedom: float) -> float:
    log_constant = _log_gamma_half_step(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(log_constant - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def _log_gamma_half_step(a: float) -> float:
    """log Γ(a + 1/2) - log Γ(a). The difference of two large logarithms loses digits, hence the series."""
    if a < 20:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    b = 1 / (a * a)
    return math.log(a) / 2 - (1 / 8 - b * (1 / 192 - b * (1 / 640 - b * (17 / 14336 - b * 31 / 18432)))) / a


def _beta_fraction(a: float, b: float, x: float) -> float:
    c = 1.0
    d = 1 / _nonzero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _nonzero(1 + even * d), _nonzero(1 + even / c)
        fraction *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _nonzero(1 + odd * d), _nonzero(1 + odd / c)
        fraction *= d * c
        if abs(d * c - 1) < _PRECISION:
            return fraction
    raise ArithmeticError(f"the incomplete beta function did not converge at a={a}, b={b}, x={x}")


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
