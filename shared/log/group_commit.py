"""Group commit without a timer: what arrives while a commit is on its way to the disk goes into the next one."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import structlog

from shared.log.port import LogUnavailable, Overloaded
from shared.log.topic_file import Row, TopicFile
from shared.logs import failure

MAX_WAITING_BYTES = 64 * 1024 * 1024
_COMMIT_ROWS = 5_000
# Whoever is told of a problem may stop sending, and then no append comes that could show it is over.
_REMEMBERED_SECONDS = 10.0

_log = structlog.get_logger(__name__)


class _Waiting(NamedTuple):
    rows: list[Row]
    size: int
    done: "asyncio.Future[None]"


class TopicWriter:
    """The one place in this process that writes a topic: a queue, a thread, one commit at a time."""

    def __init__(self, file: TopicFile, path: Path, wake_readers: Callable[[], None]) -> None:
        self.file = file
        self._path = path
        self._wake_readers = wake_readers
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self._flushing: asyncio.Task[None] | None = None
        self._failure: str | None = None
        self._failed_at = 0.0
        self._broken = False

    @property
    def problem(self) -> str | None:
        recent = self._broken or time.monotonic() - self._failed_at < _REMEMBERED_SECONDS
        return self._failure if recent else None

    async def append(self, rows: list[Row], size: int) -> None:
        await self.appending(rows, size)

    def appending(self, rows: list[Row], size: int) -> "asyncio.Future[None]":
        """Done when the rows are on the disk; raises at once where they cannot even wait for it."""
        if self._broken:
            raise LogUnavailable(self._failure)
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise Overloaded(f"{self._waiting_bytes} bytes are waiting for the disk; try again in a second")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(rows, size, done))
        self._waiting_bytes += size
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        return done

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch = self._take()
                failure = await self._commit([row for waiting in batch for row in waiting.rows])
                self._answer(batch, failure)
        finally:
            self._flushing = None

    def _take(self) -> list[_Waiting]:
        taken, count = 0, 0
        for waiting in self._waiting:
            taken, count = taken + 1, count + len(waiting.rows)
            if count >= _COMMIT_ROWS:
                break
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        self._waiting_bytes -= sum(waiting.size for waiting in batch)
        return batch

    async def _commit(self, rows: list[Row]) -> str | None:
        """None, or why the rows are not on the disk."""
        if self._broken:
            return self._failure
        now_ms = int(time.time() * 1000)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self.file.append, rows, now_ms)
        except Exception as error:  # whatever it is: those who wait for an answer must get one
            if self._failure is None:
                _log.error("log_not_written", path=str(self._path), reason=str(error), **failure(error))
            self._failure, self._failed_at = self._explained(error), time.monotonic()
            return self._failure
        self._failure = None
        return None

    def _explained(self, error: Exception) -> str:
        """For whoever sends or asks for readiness: without the path, which stands in the log of the service."""
        code = getattr(error, "sqlite_errorname", "")
        if code == "SQLITE_FULL":
            return f"the disk that holds {self._path.stem} is full: free some space"
        if code.startswith("SQLITE_IOERR"):
            # After a failed flush the kernel may have dropped the pages: this connection must never be trusted again.
            self._broken = True
            return f"writing {self._path.stem} failed: check the disk and restart"
        return f"{self._path.stem} cannot be written: the log of the service says why"

    def _answer(self, batch: list[_Waiting], failure: str | None) -> None:
        for waiting in batch:
            if waiting.done.done():  # who waited has gone
                continue
            if failure:
                waiting.done.set_exception(LogUnavailable(failure))
                waiting.done.exception()  # who appends to several topics asks only until the first that failed
            else:
                waiting.done.set_result(None)
        if not failure:
            self._wake_readers()

    async def expire(self, before_ms: int) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.file.expire, before_ms)

    async def close(self) -> None:
        if self._flushing:
            await self._flushing
        self._thread.shutdown()
        self.file.close()
