"""A loop is one pass and a `while`: tests call the pass, the process runs the loop. Nothing else waits for time."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from shared.logs import failure
from shared.reasons import reason

_log = structlog.get_logger()
# Two outages that end at once, of the database and of the log, may cost two of these.
_MAX_BACKOFF_SECONDS = 2.0
# Longer than every time limit of the database and the log together: whatever it waits for has none.
STUCK_SECONDS = 60.0


class Loop:
    """Calls `run_once` until stopped: again at once while it returns work done, else after `idle_seconds` or `wake()`.

    After `rest_seconds` at the earliest: who wakes it a hundred times a second gets fewer passes with more in each.
    A pass that raises is logged and tried again with a growing pause; `problem` says so while that lasts.
    """

    def __init__(
        self, name: str, run_once: Callable[[], Awaitable[int]], idle_seconds: float, rest_seconds: float = 0.0
    ) -> None:
        self.name = name
        self._failing = False
        self._pass_began: float | None = None
        self._run_once = run_once
        self._idle_seconds = idle_seconds
        self._rest_seconds = rest_seconds
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def problem(self) -> str | None:
        """Why nothing gets done, for anyone who asks for readiness; what exactly failed stands in the log."""
        if self._task and self._task.done() and not self._stopping.is_set():
            return "it has ended: restart the service"
        if self._pass_began is not None and asyncio.get_running_loop().time() - self._pass_began > STUCK_SECONDS:
            return f"a pass has not ended for {STUCK_SECONDS:g} seconds"
        return "the last pass failed, it is tried again: the log of the service says why" if self._failing else None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    def wake(self) -> None:
        self._wake.set()

    async def stop(self) -> None:
        """Let the pass under way finish."""
        self._stopping.set()
        self._wake.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            self._pass_began = asyncio.get_running_loop().time()
            try:
                done = await self._run_once()
                failures, self._failing = 0, False
                pause = 0.0 if done else self._idle_seconds
            except Exception as error:
                failures, self._failing = failures + 1, True
                # The power itself is bounded too: an outage of hours would make it too large for a float.
                pause = min(_MAX_BACKOFF_SECONDS, 0.1 * 2 ** min(failures, 10))
                _log.warning(
                    "loop_failed", loop=self.name, reason=reason(error), retry_in=pause, **_way(error, failures)
                )
            self._pass_began = None
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        if seconds == 0:
            await asyncio.sleep(0)  # the others' turn; to wait for no time at all would make a task and cancel it
            return
        with suppress(TimeoutError):
            if self._rest_seconds:
                await asyncio.wait_for(self._stopping.wait(), self._rest_seconds)
        with suppress(TimeoutError):
            if not self._stopping.is_set():
                await asyncio.wait_for(self._wake.wait(), seconds)


def _way(error: Exception, failures: int) -> dict[str, object]:
    """The way to it once, not at every try."""
    return failure(error) if failures == 1 else {"error": type(error).__qualname__}
