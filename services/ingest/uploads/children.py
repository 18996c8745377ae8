"""Processes that read uploads' files, started here, waited for, and ended with this one in order."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

_MODULE = "services.ingest.uploads.child"
_LOOK_SECONDS = 40.0  # a proxy waits for 60
_LOOKS_AT_ONCE = 2
_STOP_SECONDS = 3.0
# No proxy, no setting and no secret of this process: what a child needs beyond is given to it by name.
_HANDED_ON = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LC_ALL", "TZDIR")
_log = structlog.get_logger(__name__)


class Children:
    def __init__(self) -> None:
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        self._processes: set[asyncio.subprocess.Process] = set()

    async def look(self, folder: Path) -> bool:
        """Whether it came to an end in its bounds."""
        async with self._looks:
            process = await self._start("look", folder, {}, ())
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    code = await process.wait()
            except TimeoutError:
                process.kill()
                code = await process.wait()
            finally:
                self._processes.discard(process)
        return code == 0

    async def run(self, folder: Path, address: str, key: str, locks: Sequence[int]) -> None:
        """Returns once it has begun; `locks` are its own from then on."""
        try:
            named = {"PETLA_UPLOAD_ADDRESS": address, "PETLA_API_KEY": key}
            process = await self._start("run", folder, named, locks)
        finally:
            for lock in locks:
                os.close(lock)
        task = asyncio.create_task(self._wait(process))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """What runs keeps its place; a person goes on from there."""
        for process in list(self._processes):
            with suppress(ProcessLookupError):
                process.terminate()
        if self._running:
            await asyncio.wait(set(self._running), timeout=_STOP_SECONDS)

    async def _start(
        self, what: str, folder: Path, named: dict[str, str], locks: Sequence[int]
    ) -> asyncio.subprocess.Process:
        environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ} | named
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", _MODULE, what, str(folder),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            env=environment, pass_fds=locks, start_new_session=True,
        )  # fmt: skip
        self._processes.add(process)
        return process

    async def _wait(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        self._processes.discard(process)
        _log.info("upload_ended", code=code)
