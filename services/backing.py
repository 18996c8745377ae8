"""What a process stands on: the log, the configuration and the databases, its own or the operator's.

What is the operator's need not be there when the process starts: it is used as soon as it answers.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import structlog

from shared.clock import Clock
from shared.config import ConfigStore
from shared.data_folder import prepare
from shared.db import Database
from shared.embedded_postgres import EmbeddedPostgres
from shared.erasure.requests import Requests
from shared.erasure.spilled import SpillEraser
from shared.log.kafka_topics import create_topics
from shared.log.port import Log, LogUnavailable
from shared.log.spilling import SpillingLog
from shared.log.sqlite import SqliteLog
from shared.loops import Loop
from shared.opening import open_log
from shared.reasons import reason
from shared.settings import Settings

_EXPIRE_EVERY_SECONDS = 3600.0
_FORWARD_EVERY_SECONDS = 0.5
_ERASE_EVERY_SECONDS = 1.0
_WATCH_EVERY_SECONDS = 1.0
_TOPICS_SECONDS = 4.0
_STOP_SECONDS = 4.0
_ONCE = 24 * 3600.0  # how long a loop rests whose work is done

Opened = TypeVar("Opened", bound=Log)
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def for_a_command(settings: Settings) -> AsyncIterator[ConfigStore]:
    """The configuration, to be changed: `LogUnavailable` while the log is away."""
    async with log_for_a_command(settings) as (_, config):
        yield config


@asynccontextmanager
async def log_for_a_command(settings: Settings) -> AsyncIterator[tuple[Log, ConfigStore]]:
    """The same, with the log that it stands on."""
    async with _opened(open_log(settings)) as log:
        if settings.kafka:
            await create_topics(settings.kafka, settings.topics())
        async with _started(ConfigStore(log, settings.topic("config"))) as config:
            yield log, config


@asynccontextmanager
async def for_serving(settings: Settings) -> AsyncIterator[tuple[Log, ConfigStore]]:
    """The log and the configuration, also while the log is away."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(_opened(open_log(settings)))
        if isinstance(log, SqliteLog):
            await stack.enter_async_context(_looping("log.expiry", _expiring(log), _EXPIRE_EVERY_SECONDS))
        else:
            await _make_topics_or_go_on(settings, stack)
        snapshot = prepare(settings.data) / "config.snapshot.json" if settings.kafka else None
        config = ConfigStore(log, settings.topic("config"), snapshot)
        yield log, await stack.enter_async_context(_started(config))


@asynccontextmanager
async def spilling(log: Log, folder: Path, clock: Clock, requests: Requests) -> AsyncIterator[SpillingLog]:
    """The same log for whoever must not wait for its broker; who is erased meanwhile does not wait in it."""
    spill = SpillingLog(log, folder, clock)
    eraser = SpillEraser(requests, spill)
    try:
        async with (
            _looping("ingest.spill", spill.forward_once, _FORWARD_EVERY_SECONDS),
            _looping("ingest.erasure", eraser.run_once, _ERASE_EVERY_SECONDS),
        ):
            yield spill
    finally:
        await spill.close()


@asynccontextmanager
async def databases(urls: Mapping[str, str | None], settings: Settings) -> AsyncIterator[Mapping[str, Database]]:
    """By service: at its URL, or on the embedded PostgreSQL where it has none. Whoever uses one closes it."""
    async with AsyncExitStack() as stack:
        found = dict(urls)
        if missing := [name for name, url in urls.items() if url is None]:
            found |= await stack.enter_async_context(_embedded(missing, settings))
        yield {name: Database(url) for name, url in found.items() if url is not None}


@asynccontextmanager
async def _embedded(names: list[str], settings: Settings) -> AsyncIterator[dict[str, str]]:
    """A URL a name. A server that dies under this process is started again."""
    postgres = EmbeddedPostgres(settings.data, binaries=settings.postgres_bin)
    server = await asyncio.to_thread(postgres.start)

    async def keep_running() -> int:
        if await asyncio.to_thread(postgres.keep_running):
            _log.warning("postgres_started_again")
        return 0

    try:
        for name in names:
            await asyncio.to_thread(postgres.create_database, settings.database_prefix + name)
        async with _looping("postgres.watch", keep_running, _WATCH_EVERY_SECONDS):
            yield {name: server.url(settings.database_prefix + name) for name in names}
    finally:
        await asyncio.to_thread(postgres.release)


async def _make_topics_or_go_on(settings: Settings, stack: AsyncExitStack) -> None:
    """At once where Kafka answers, so that nobody meets a topic that is missing; else when it does."""
    connection = settings.kafka
    assert connection is not None

    async def make() -> int:
        for name in await create_topics(connection, settings.topics()):
            _log.info("topic_made", topic=name)
        return 0

    try:
        async with asyncio.timeout(_TOPICS_SECONDS):
            await make()
    except (LogUnavailable, TimeoutError) as error:
        _log.warning("topics_not_looked_at", reason=reason(error))
        await stack.enter_async_context(_looping("log.topics", make, _ONCE))


def _expiring(log: SqliteLog) -> Callable[[], Awaitable[int]]:
    async def expire() -> int:
        await log.expire(int(time.time() * 1000))
        return 0

    return expire


@asynccontextmanager
async def _opened(log: Opened) -> AsyncIterator[Opened]:
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def _started(config: ConfigStore) -> AsyncIterator[ConfigStore]:
    await config.start()
    try:
        yield config
    finally:
        await config.stop()


@asynccontextmanager
async def _looping(name: str, run_once: Callable[[], Awaitable[int]], idle_seconds: float) -> AsyncIterator[None]:
    loop = Loop(name, run_once, idle_seconds)
    loop.start()
    try:
        yield
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(loop.stop(), _STOP_SECONDS)
