"""When a notification that was not taken is tried again (Standard Webhooks), and when nobody tries any more. Pure."""

from collections.abc import Callable
from typing import NamedTuple

# Seconds before each attempt: now, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
DELAYS = (0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
MAX_RETRY_AFTER_SECONDS = 3_600.0
_JITTER = 0.2
_GONE = 410
_THROTTLED = (429, 503)

Random = Callable[[], float]


class Reply(NamedTuple):
    """What came of an attempt. `status` None: no answer came, and `error` says why; `retry_after` in seconds."""

    status: int | None
    error: str | None = None
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def next_delay(reply: Reply, attempts: int, random: Random) -> float | None:
    """Seconds until the next attempt after `attempts` of them, None when this was the last.

    `random` gives 0…1 and spreads the attempts by ± 20 %. A receiver that asks for time (429 or 503 with Retry-After)
    gets it, up to an hour; asking for less than the schedule does not use up the attempts sooner.
    """
    if reply.status == _GONE or attempts >= len(DELAYS):
        return None
    delay = DELAYS[attempts] * (1 + _JITTER * (2 * random() - 1))
    if reply.status in _THROTTLED and reply.retry_after is not None:
        return max(delay, min(reply.retry_after, MAX_RETRY_AFTER_SECONDS))
    return delay
