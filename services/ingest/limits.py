"""How much a process takes: events a second from each source, answers to one survey, and bytes of bodies at once."""

from collections import OrderedDict

from shared.clock import Clock

MAX_BODY_BYTES_AT_ONCE = 128 * 1024 * 1024


class RateLimit:
    """A bucket a source, which holds one second's allowance. A larger batch passes when it is full, as a debt."""

    def __init__(self, per_second: int, clock: Clock) -> None:
        self._per_second = per_second
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, when they were counted

    def seconds_to_wait(self, source: str, events: int) -> float:
        """0 when the events were let through; else all of them may be tried again after so many seconds."""
        if self._per_second == 0:
            return 0.0
        now = self._clock.monotonic()
        tokens, counted = self._buckets.get(source, (float(self._per_second), now))
        tokens = min(self._per_second, tokens + (now - counted) * self._per_second)
        needed = min(events, self._per_second)
        passes = tokens >= needed
        self._buckets[source] = (tokens - events if passes else tokens, now)
        return 0.0 if passes else (needed - tokens) / self._per_second


class FewAtOnce:
    """Of each name `burst` at once, then one in `seconds`. Knows the names that came last: it never grows for ever."""

    def __init__(self, burst: int, seconds: float, clock: Clock, remembered: int = 10_000) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._remembered = remembered
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()  # how many, when they were counted

    def lets(self, name: str) -> bool:
        now = self._clock.monotonic()
        used, counted = self._used.pop(name, (0.0, now))
        used = max(0.0, used - (now - counted) / self._seconds)
        passes = used + 1 <= self._burst
        self._used[name] = (used + 1 if passes else used, now)
        if len(self._used) > self._remembered:
            self._used.popitem(last=False)
        return passes


class BytesAtOnce:
    """What all bodies being read or answered take together."""

    def __init__(self, limit: int = MAX_BODY_BYTES_AT_ONCE) -> None:
        self._left = limit

    def take(self, size: int) -> bool:
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        self._left += size
