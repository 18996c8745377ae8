"""Time is a port: what depends on it is handed a clock, and tests hold the clock still. How a time is written."""

import time
from datetime import UTC, datetime
from typing import Protocol


def rfc3339(moment: datetime) -> str:
    """As answers and records tell a time: in UTC, with a Z. `moment` is aware."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall clock's time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    monotonic = staticmethod(time.monotonic)  # asked four times a request: a call less each
