"""When a sender is asked again after it could not answer. Pure."""

from collections.abc import Callable

FIRST_SECONDS, LONGEST_SECONDS = 5.0, 900.0
LONGEST_ASKED_SECONDS = 3_600.0
_JITTER = 0.2

Random = Callable[[], float]


def pause_seconds(failures: int, retry_after: float | None, random: Random) -> float:
    """After `failures` in a row (from 1): doubling from 5 s to 15 min, ± 20 %; longer where the sender asks for it,
    up to an hour. `random` gives 0…1.
    """
    pause = min(FIRST_SECONDS * 2.0 ** min(failures - 1, 10), LONGEST_SECONDS) * (1 + _JITTER * (2 * random() - 1))
    return max(pause, min(retry_after, LONGEST_ASKED_SECONDS)) if retry_after is not None else pause
