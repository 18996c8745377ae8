"""What a test of two windows says: the statistic and its two-sided p, or neither where no test can be made."""

from __future__ import annotations

import math
from typing import NamedTuple


class Significance(NamedTuple):
    z: float | None
    p: float | None


UNTESTABLE = Significance(None, None)
NO_DIFFERENCE = Significance(0.0, 1.0)


def from_z(z: float) -> Significance:
    # erfc keeps its digits far out in the tail, where 1 - cdf would be 0.
    return Significance(z, math.erfc(abs(z) / math.sqrt(2)))
