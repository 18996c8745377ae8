"""Spares an endpoint that does not answer: after five failures in a row it gets one attempt every 30 seconds."""

from shared.clock import Clock

FAILURES = 5
PROBE_EVERY_SECONDS = 30.0


class Breaker:
    """Of one endpoint, in one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._probe_from = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= FAILURES

    @property
    def probe_is_due(self) -> bool:
        return self._clock.monotonic() >= self._probe_from

    def failed(self) -> None:
        self._failures += 1
        self._probe_from = self._clock.monotonic() + PROBE_EVERY_SECONDS

    def succeeded(self) -> bool:
        """True when this was the probe that closed it: everything that waits can go now."""
        was_open, self._failures = self.is_open, 0
        return was_open
