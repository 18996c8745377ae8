"""Chance that repeats: the same seed draws the same things. Pure."""

from collections.abc import Mapping
from random import Random
from typing import TypeVar

T = TypeVar("T")

_GOLDEN = 0.618033988749895  # the most even spread of any number of points on a circle (Weyl's sequence)


class Even:
    """Draws whose shares already hold in a short run, where independent chance would scatter."""

    def __init__(self, random: Random) -> None:
        self._at = random.random()

    def choose(self, weights: Mapping[T, float]) -> T:
        self._at = (self._at + _GOLDEN) % 1.0
        return pick(self._at, weights)

    def happens(self, share: float) -> bool:
        return self.choose({True: share, False: 1 - share})


def pick(at: float, weights: Mapping[T, float]) -> T:
    """The outcome under `at` (0…1) when the outcomes lie side by side, as wide as their weights."""
    left = at * sum(weights.values())
    for outcome, weight in weights.items():
        left -= weight
        if left < 0:
            return outcome
    return next(reversed(list(weights)))
