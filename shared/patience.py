"""A bound for many short waits with one timer for all of them; `asyncio.timeout` makes and drops one for each, which
costs more than most of what is waited for.
"""

import asyncio
from types import TracebackType


class Patience:
    """For waits of one event loop that last equally long at most."""

    def __init__(self) -> None:
        self._waits: dict[_Wait, float] = {}  # until when, the first first
        self._timer: asyncio.TimerHandle | None = None

    def at_most(self, seconds: float) -> "_Wait":
        """`with` it, what is awaited ends within so many seconds, or TimeoutError is raised."""
        return _Wait(self, seconds)

    def begin(self, wait: "_Wait", seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._waits[wait] = until = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_at(until, self._look)

    def end(self, wait: "_Wait") -> None:
        self._waits.pop(wait, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for wait, until in list(self._waits.items()):
            if until > loop.time():
                self._timer = loop.call_at(until, self._look)
                return
            del self._waits[wait]
            wait.expire()


class _Wait:
    __slots__ = ("_cancelling", "_expired", "_patience", "_seconds", "_task")

    def __init__(self, patience: Patience, seconds: float) -> None:
        self._patience = patience
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task, self._cancelling = task, task.cancelling()
        self._patience.begin(self, self._seconds)

    def expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patience.end(self)
        # As asyncio.timeout has it: a cancellation that came from elsewhere too goes on.
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
