"""Exact scoring, client and PostgreSQL CPU an event, against one INSERT + UPSERT + commit an event."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import psutil

from bench.load import event
from bench.measure import Round, cpu_seconds, data_folder, median_rate, median_ratio
from services.ingest.admission import admit
from services.ingest.sent_event import from_document
from services.scoring.app import MIGRATIONS
from services.scoring.handlers import Handlers, subscriptions
from services.scoring.publishing import Publisher
from shared.clock import SystemClock
from shared.consumer.messages import read_record
from shared.consumer.worker import Worker
from shared.db import Database
from shared.embedded_postgres import EmbeddedPostgres
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord, Partition, Topic

EVENTS = 20_000
REFERENCE_EVENTS = 2_000
ROUNDS = 3
ZONE = ZoneInfo("Europe/Warsaw")
TOPICS = ("petla.feedback", "petla.activity", "petla.followups")


def exact_scoring() -> dict[str, Any]:
    with data_folder() as data:
        ours, theirs = asyncio.run(_rounds(data))
    return {
        "claim": "exact scoring (facts + rollups + position in one transaction) against INSERT + UPSERT + commit each",
        "must": 20.0,
        "ratio": median_ratio(ours, theirs),
        "ours": median_rate(ours),
        "reference": median_rate(theirs),
        "unit": "events a core-second, client + PostgreSQL, reading and decoding included",
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
    }


async def _rounds(data: Path) -> tuple[list[Round], list[Round]]:
    ours: list[Round] = []
    theirs: list[Round] = []
    async with _server(data) as (url, socket_folder, postmaster):
        async with _candidate(url, postmaster) as candidate, _reference(socket_folder, postmaster) as reference:
            for number in range(ROUNDS + 1):
                mine, other = await candidate(number), await reference(number)
                if number:
                    ours.append(mine)
                    theirs.append(other)
    return ours, theirs


@asynccontextmanager
async def _server(data: Path) -> AsyncIterator[tuple[str, Path, psutil.Process]]:
    postgres = EmbeddedPostgres(data)
    server = await asyncio.to_thread(postgres.start)
    for name in ("petla_scoring", "reference"):
        await asyncio.to_thread(postgres.create_database, name)
    pid = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    try:
        yield server.url("petla_scoring"), server.socket_folder, psutil.Process(pid)
    finally:
        await asyncio.to_thread(postgres.release)


def _records(number: int, count: int) -> list[NewRecord]:
    """What ingest would have written for `count` new events of round `number`."""
    now = datetime.now(UTC)
    admitted = (admit(from_document(event(f"round{number}", each)), "bench", now) for each in range(count))
    return [NewRecord("petla.feedback", one.key, one.value) for one in admitted]


async def _timed(postmaster: psutil.Process, events: int, work: Callable[[], Any]) -> Round:
    measured = [psutil.Process(), postmaster]
    before, start = cpu_seconds(measured), time.monotonic()
    await work()
    return Round(events, cpu_seconds(measured) - before, time.monotonic() - start)


@asynccontextmanager
async def _candidate(url: str, postmaster: psutil.Process) -> AsyncIterator[Callable[[int], Any]]:
    """The worker as it runs in production; the log is in memory on both sides, so neither pays for its disk."""
    log = MemoryLog([Topic(name, 12, None) for name in (*TOPICS, "petla.scores")])
    db = Database(url)
    await db.migrate(MIGRATIONS)
    handlers = Handlers(ZONE, Publisher("petla.scores"))
    worker = Worker(log, db, TOPICS, subscriptions(handlers), SystemClock(), handlers.republish)

    async def score_all() -> None:
        done = 0
        while done < EVENTS:
            done += await worker.run_once()

    async def candidate(number: int) -> Round:
        await log.append(_records(number, EVENTS))
        return await _timed(postmaster, EVENTS, score_all)

    yield candidate
    await worker.stop()
    await db.close()


@asynccontextmanager
async def _reference(socket_folder: Path, postmaster: psutil.Process) -> AsyncIterator[Callable[[int], Any]]:
    """The textbook consumer: decode, insert the event, add to its day and segment, commit; one event at a time."""
    connection = await asyncpg.connect(host=str(socket_folder), port=5432, user="petla", database="reference")
    await connection.execute("CREATE TABLE fact (id uuid PRIMARY KEY, score integer, data text)")
    await connection.execute(
        "CREATE TABLE rollup (segment text, day date, n bigint, score bigint, PRIMARY KEY (segment, day))"
    )
    log = MemoryLog([Topic("petla.feedback", 1, None)])
    reader = log.reader()
    await reader.assign({Partition("petla.feedback", 0): 0})

    async def insert_all() -> None:
        done = 0
        while done < REFERENCE_EVENTS:
            for record in await reader.read(500, 1.0):
                await _insert(connection, read_record(record))
                done += 1

    async def reference(number: int) -> Round:
        await log.append(_records(number, REFERENCE_EVENTS))
        return await _timed(postmaster, REFERENCE_EVENTS, insert_all)

    yield reference
    await reader.close()
    await connection.close()


async def _insert(connection: "asyncpg.Connection[Any]", message: Any) -> None:
    score, segment = round(message.data.score), message.data.segment
    async with connection.transaction():
        await connection.execute(
            "INSERT INTO fact VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            message.event.factid,
            score,
            bytes(message.event.data).decode(),
        )
        await connection.execute(
            "INSERT INTO rollup AS r VALUES ($1, $2, 1, $3) ON CONFLICT (segment, day)"
            " DO UPDATE SET n = r.n + 1, score = r.score + excluded.score",
            segment,
            message.event.time.date(),
            score,
        )
