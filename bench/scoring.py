"""Exact scoring, client and PostgreSQL CPU an event, against one INSERT + UPSERT + commit an event."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import psutil
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.load import event
from bench.measure import Round, cpu_seconds, data_folder, median_rate, median_ratio
from services.ingest.admission import admit
from services.ingest.sent_event import from_document
from services.running import settle_memory
from services.scoring.app import MIGRATIONS
from services.scoring.handlers import Handlers, subscriptions
from services.scoring.publishing import Publisher
from shared.clock import SystemClock
from shared.consumer.messages import read_record
from shared.consumer.worker import Worker
from shared.db import Database
from shared.embedded_postgres import EmbeddedPostgres, Server
from shared.log.port import Durability, NewRecord, Partition, Record, Topic
from shared.log.sqlite import SqliteLog

Side = Callable[[int], Awaitable[Round]]
Inserter = AbstractAsyncContextManager[Callable[[Any], Awaitable[None]]]

EVENTS = 20_000
REFERENCE_EVENTS = 2_000
ROUNDS = 3
ZONE = ZoneInfo("Europe/Warsaw")
TOPICS = ("petla.feedback", "petla.activity", "petla.followups")
SCORES = "petla.scores"


def exact_scoring() -> dict[str, Any]:
    with data_folder() as data:
        ours, sessions, bare = asyncio.run(_rounds(data))
    return {
        "claim": "exact scoring (facts + rollups + position in one transaction) against INSERT + UPSERT + commit each",
        "must": 20.0,
        "ratio": median_ratio(ours, sessions),
        "ratio_to_bare_asyncpg": median_ratio(ours, bare),
        "ours": median_rate(ours),
        "reference_sqlalchemy": median_rate(sessions),
        "reference_bare_asyncpg": median_rate(bare),
        "unit": "events a core-second, client + PostgreSQL, reading and decoding included",
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
    }


async def _rounds(data: Path) -> list[list[Round]]:
    done: list[list[Round]] = [[], [], []]
    async with AsyncExitStack() as stack:
        server, postmaster = await stack.enter_async_context(_server(data))
        sides = [
            await stack.enter_async_context(_candidate(data, server.url("petla_scoring"), postmaster)),
            await stack.enter_async_context(_reference(_sessions(server.url("sessions")), postmaster)),
            await stack.enter_async_context(_reference(_bare(server.socket_folder), postmaster)),
        ]
        for number in range(ROUNDS + 1):
            for side, rounds in zip(sides, done, strict=True):
                result = await side(number)
                if number:
                    rounds.append(result)
    return done


@asynccontextmanager
async def _server(data: Path) -> AsyncIterator[tuple[Server, psutil.Process]]:
    postgres = EmbeddedPostgres(data)
    server = await asyncio.to_thread(postgres.start)
    for name in ("petla_scoring", "sessions", "bare"):
        await asyncio.to_thread(postgres.create_database, name)
    pid = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    try:
        yield server, psutil.Process(pid)
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


class _Unpublished(SqliteLog):
    """Reads as in production; what scoring would publish has no counterpart on the other side and is let go."""

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        kept = [record for record in records if record.topic != SCORES]
        return await super().append(kept) if kept else "local"


@asynccontextmanager
async def _candidate(data: Path, url: str, postmaster: psutil.Process) -> AsyncIterator[Side]:
    """The worker as it runs in production."""
    log = _Unpublished(data / "log", [Topic(name, 12, None) for name in (*TOPICS, SCORES)])
    db = Database(url)
    await db.migrate(MIGRATIONS)
    handlers = Handlers(ZONE, Publisher(SCORES))
    settle_memory()  # as every Pętla process does
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
    await log.close()


@asynccontextmanager
async def _reference(inserter: Inserter, postmaster: psutil.Process) -> AsyncIterator[Side]:
    """The textbook consumer: decode, insert the event, add to its day and segment, commit; one event at a time."""
    async with inserter as insert:

        async def reference(number: int) -> Round:
            values = [record.value for record in _records(number, REFERENCE_EVENTS)]
            records = [Record(Partition(TOPICS[0], 0), at, None, value) for at, value in enumerate(values)]

            async def insert_all() -> None:
                for record in records:
                    await insert(read_record(record))

            return await _timed(postmaster, REFERENCE_EVENTS, insert_all)

        yield reference


class _Base(DeclarativeBase):
    pass


class _Fact(_Base):
    __tablename__ = "fact"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    score: Mapped[int]
    data: Mapped[str]


class _Sum(_Base):
    __tablename__ = "rollup"
    segment: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    n: Mapped[int]
    score: Mapped[int]


@asynccontextmanager
async def _sessions(url: str) -> AsyncIterator[Callable[[Any], Awaitable[None]]]:
    """The idiom in this stack: a SQLAlchemy session an event, as SQLModel's documentation has it."""
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(_Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def insert_one(message: Any) -> None:
        score, day = round(message.data.score), message.event.time.date()
        fact = {"id": uuid.UUID(message.event.factid), "score": score, "data": bytes(message.event.data).decode()}
        added = insert(_Sum).values(segment=message.data.segment, day=day, n=1, score=score)
        more = {"n": _Sum.n + 1, "score": _Sum.score + added.excluded.score}
        async with sessions() as session:
            await session.execute(insert(_Fact).values(fact).on_conflict_do_nothing())
            await session.execute(added.on_conflict_do_update(index_elements=["segment", "day"], set_=more))
            await session.commit()

    yield insert_one
    await engine.dispose()


@asynccontextmanager
async def _bare(socket_folder: Path) -> AsyncIterator[Callable[[Any], Awaitable[None]]]:
    """The same two statements on the driver alone, prepared: as cheap as one commit an event can be."""
    connection = await asyncpg.connect(host=str(socket_folder), port=5432, user="petla", database="bare")
    await connection.execute("CREATE TABLE fact (id uuid PRIMARY KEY, score integer, data text)")
    await connection.execute(
        "CREATE TABLE rollup (segment text, day date, n bigint, score bigint, PRIMARY KEY (segment, day))"
    )

    async def insert_one(message: Any) -> None:
        score, day = round(message.data.score), message.event.time.date()
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
                message.data.segment,
                day,
                score,
            )

    yield insert_one
    await connection.close()
