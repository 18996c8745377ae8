"""A loop is one pass and a `while`: tests call the pass, the process runs the loop. Nothing else waits for time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from shared.db import first_line

_log = structlog.get_logger()
_MAX_BACKOFF_SECONDS = 5.0


class Loop:
    """Calls `run_once` until stopped: again at once while it returns work done, else after `idle_seconds` or `wake()`.

    A pass that raises is logged and tried again with a growing pause; `problem` says why while that lasts.
    """

    def __init__(self, name: str, run_once: Callable[[], Awaitable[int]], idle_seconds: float) -> None:
        self.name = name
        self.problem: str | None = None
        self._run_once = run_once
        self._idle_seconds = idle_seconds
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    def wake(self) -> None:
        self._wake.set()

    async def stop(self) -> None:
        """Let the pass under way finish."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        failures = 0
        while not self._stopping:
            self._wake.clear()
            try:
                done = await self._run_once()
                failures, self.problem = 0, None
                pause = 0.0 if done else self._idle_seconds
            except Exception as error:
                failures += 1
                self.problem = first_line(error)
                # The power itself is bounded too: an outage of hours would make it too large for a float.
                pause = min(_MAX_BACKOFF_SECONDS, 0.1 * 2 ** min(failures, 10))
                _log.warning(
                    "loop_failed", loop=self.name, error=self.problem, kind=type(error).__name__, retry_in=pause
                )
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        if not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), seconds)
