"""A Pętla process: opens what it needs, serves one service or all three on one port, and closes in order.

SIGTERM and Ctrl-C drain within ten seconds; a kill at any moment is a normal exit too: nothing relies on this one.
"""

import asyncio
import contextlib
import ctypes
import errno
import fcntl
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from starlette.types import ASGIApp

from services import assembly
from services.answering import BACKLOG, answering
from services.assembly import Parts
from services.backing import databases, for_serving, spilling
from services.direct import Hot
from services.dispatch import Alone, Dispatch
from shared.clock import SystemClock
from shared.config import ConfigStore
from shared.data_folder import prepare
from shared.erasure.names import Names
from shared.erasure.requests import Requests
from shared.log.port import Log
from shared.sealing import sealing_of
from shared.service import Service
from shared.settings import Settings

SERVICES = ("ingest", "scoring", "alerts")
PORTS = {"ingest": 8081, "scoring": 8082, "alerts": 8083}
SHARED_PORT = 8080
_STOP_SECONDS = 4
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_KEPT_BYTES, _LARGEST_KEPT_BYTES = 128 * 1024 * 1024, 32 * 1024 * 1024


class StartError(Exception):
    """Why the process cannot start, in one sentence that says what to change."""


class Running(NamedTuple):
    """A process that answers requests: its address for clients on this machine, and its configuration."""

    address: str
    config: ConfigStore


Beside = Callable[[Running], Awaitable[None]]


def settle_memory() -> None:
    """What lives as long as the process is not looked through again and again; batches make garbage by thousands.

    What they free is kept for the next ones: to give it to the system and ask for it again costs batches up to a tenth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):  # glibc has it, others do not
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)


async def serve(names: Sequence[str], on_ready: Callable[[str], None], beside: Beside | None = None) -> None:
    """Runs until a signal; `on_ready` is told the address once requests are answered.

    `beside` then runs next to the server: the process ends when it returns or raises, and a signal cancels it.
    """
    ending = _Ending()  # before PostgreSQL starts: every end but a kill must come to its release
    settings, parts = Settings(), assembly.read(names)
    port = settings.port or (PORTS[names[0]] if len(names) == 1 else SHARED_PORT)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(settings.host, port))
        stack.enter_context(_share_data(prepare(settings.data), alone=len(names) > 1))
        log, config = await stack.enter_async_context(for_serving(settings))
        door, spilled = await stack.enter_async_context(_log_of_the_door(names, settings, log, config))
        services = await stack.enter_async_context(_services(parts, settings, log, door, config))
        settle_memory()
        app: ASGIApp = Dispatch(services, spilled) if len(names) > 1 else Alone(services[names[0]])
        with _named(settings.host, port):  # two that start at once may both be bound, and uvloop would not say so
            listener.listen(BACKLOG)
        await stack.enter_async_context(answering(app, listener, _hot(services)))
        on_ready(_address(settings.host, port))
        await ending.after(beside and beside(Running(_address(_reachable(settings.host), port), config)))


@asynccontextmanager
async def _log_of_the_door(
    names: Sequence[str], settings: Settings, log: Log, config: ConfigStore
) -> AsyncIterator[tuple[Log, Callable[[], int]]]:
    """What ingest writes to, and how many records wait here. The embedded log is on the disk of a spill already."""
    if "ingest" not in names or settings.kafka is None:
        yield log, int
        return
    requests = Requests(config, Names(sealing_of(settings)))
    async with spilling(log, prepare(settings.data) / "spill", SystemClock(), requests) as spill:
        yield spill, lambda: spill.spilled


@asynccontextmanager
async def _services(
    parts: Parts, settings: Settings, log: Log, door: Log, config: ConfigStore
) -> AsyncIterator[Mapping[str, Service]]:
    async with databases({name: owner.database for name, owner in parts.owners.items()}, settings) as found:
        services = {"ingest": parts.ingest(door, config)} if parts.ingest else {}
        services |= {name: owner.build(log, config, found[name]) for name, owner in parts.owners.items()}
        started: list[Service] = []
        try:
            for service in services.values():
                started.append(service)
                await service.start()
            yield services
        finally:
            for service in started:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(service.stop(), _STOP_SECONDS)


def _hot(services: Mapping[str, Service]) -> Hot | None:
    door = services["ingest"].app if "ingest" in services else None
    return door if isinstance(door, Hot) else None


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """Bound before anything else starts: a taken port must not cost a database start."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with _named(host, port):
            listener.bind((host, port))
        yield listener


@contextmanager
def _named(host: str, port: int) -> Iterator[None]:
    """What the system refuses becomes a sentence."""
    try:
        yield
    except OSError as error:
        remedy = "choose another with --port or free it"
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            remedy = "name an address of this machine with --host"
        raise StartError(f"port {port} on {host} cannot be used ({error.strerror}): {remedy}") from error


@contextmanager
def _share_data(data: Path, *, alone: bool) -> Iterator[None]:
    """One `petla up` on a data folder, or any number of single services; the kernel frees the lock of the dead."""
    with (data / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(
                f"another Pętla is running on {data}: stop it first, or choose another folder with --data"
            ) from error
        yield


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reachable(host: str) -> str:
    """Where this machine reaches a server that listens on all its addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


class _Ending:
    """The first signal asks for an orderly end, a second one ends at once."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._ask)

    def _ask(self) -> None:
        if self._asked.is_set():
            os._exit(1)
        self._asked.set()

    async def after(self, work: Awaitable[None] | None) -> None:
        """Returns when a signal came or `work` is done; raises what `work` raised."""
        asked = asyncio.ensure_future(self._asked.wait())
        working = asyncio.ensure_future(work) if work else asked
        await asyncio.wait({asked, working}, return_when=asyncio.FIRST_COMPLETED)
        for task in {asked, working}:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
