"""Exact scoring, client and PostgreSQL CPU an event, against one INSERT + UPSERT + commit an event."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.measure import Round, cpu_seconds, data_folder, median_rate, median_ratio
from bench.postgres import postgres
from bench.textbook import Inserter, bare, sessions
from bench.worker import FEEDBACK, SCORES, TOPICS, records, scoring
from shared.consumer.messages import read_record
from shared.log.port import Partition, Record, Topic
from shared.log.sqlite import SqliteLog

Side = Callable[[int], Awaitable[Round]]

EVENTS = 20_000
REFERENCE_EVENTS = 2_000
ROUNDS = 3


def exact_scoring() -> dict[str, Any]:
    with data_folder() as data:
        ours, idiom, driver = asyncio.run(_rounds(data))
    return {
        "claim": "exact scoring (facts + rollups + position in one transaction) against INSERT + UPSERT + commit each",
        "must": 20.0,
        "ratio": median_ratio(ours, idiom),
        "ratio_to_bare_asyncpg": median_ratio(ours, driver),
        "ours": median_rate(ours),
        "reference_sqlalchemy": median_rate(idiom),
        "reference_bare_asyncpg": median_rate(driver),
        "unit": "events a core-second, client + PostgreSQL, reading and decoding included",
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
    }


async def _rounds(data: Path) -> list[list[Round]]:
    done: list[list[Round]] = [[], [], []]
    async with AsyncExitStack() as stack:
        server, postmaster = await stack.enter_async_context(postgres(data, "petla_scoring", "sessions", "bare"))
        sides = [
            await stack.enter_async_context(_candidate(data, server.url("petla_scoring"), postmaster)),
            await stack.enter_async_context(_reference(sessions(server.url("sessions")), postmaster)),
            await stack.enter_async_context(_reference(bare(server.socket_folder), postmaster)),
        ]
        for number in range(ROUNDS + 1):
            for side, rounds in zip(sides, done, strict=True):
                result = await side(number)
                if number:
                    rounds.append(result)
    return done


async def _timed(postmaster: psutil.Process, events: int, work: Callable[[], Any]) -> Round:
    measured = [psutil.Process(), postmaster]
    before, start = cpu_seconds(measured), time.monotonic()
    await work()
    return Round(events, cpu_seconds(measured) - before, time.monotonic() - start)


@asynccontextmanager
async def _candidate(data: Path, url: str, postmaster: psutil.Process) -> AsyncIterator[Side]:
    log = SqliteLog(data / "log", [Topic(name, 12, None) for name in (*TOPICS, SCORES)])
    async with scoring(log, url) as score:

        async def candidate(number: int) -> Round:
            await log.append(records(f"round{number}", EVENTS))
            return await _timed(postmaster, EVENTS, lambda: score(EVENTS))

        yield candidate
    await log.close()


@asynccontextmanager
async def _reference(inserter: Inserter, postmaster: psutil.Process) -> AsyncIterator[Side]:
    """The textbook consumer: decode, insert the event, add to its day and segment, commit; one event at a time."""
    async with inserter as insert:

        async def reference(number: int) -> Round:
            values = [record.value for record in records(f"round{number}", REFERENCE_EVENTS)]
            read = [Record(Partition(FEEDBACK, 0), at, None, value) for at, value in enumerate(values)]

            async def insert_all() -> None:
                for record in read:
                    await insert(read_record(record))

            return await _timed(postmaster, REFERENCE_EVENTS, insert_all)

        yield reference
