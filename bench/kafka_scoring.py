"""Exact scoring on a real Kafka and PostgreSQL: the client against reading and counting alone, and what the database
costs with it against one INSERT + UPSERT + commit an event. The same records are read by all sides in turn.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from msgspec import Struct, json

from bench.kafka import Kafka, kafka
from bench.measure import (
    Round,
    cpu_seconds,
    data_folder,
    median_rate,
    median_ratio,
    microseconds_beside,
    taking_turns,
)
from bench.postgres import postgres
from bench.textbook import Inserter, bare, sessions
from bench.worker import FEEDBACK, SCORES, TOPICS, records, scoring
from shared.consumer.messages import read_record
from shared.log.kafka import KafkaLog
from shared.log.port import Partition, Record

EVENTS = 40_000
TEXTBOOK_EVENTS = 2_000
_APPENDED_AT_ONCE = 2_000

Side = Callable[[], Awaitable[Round]]


class _CountedAnswer(Struct):
    metric: str
    score: float | None = None
    segment: str | None = None


class _Counted(Struct):
    """Of an event, what is counted: the rest is not decoded."""

    type: str
    time: datetime
    data: _CountedAnswer


def exact_scoring() -> dict[str, Any]:
    with data_folder() as data, kafka(data) as broker:
        broker.make(*TOPICS, SCORES)
        ours, counting, idiom, driver = asyncio.run(_rounds(data, broker))
    return {
        "claim": "exact scoring on Kafka; G4: client against consume + decode + count alone, G6: client + PostgreSQL"
        " against INSERT + UPSERT + commit an event",
        "must": {"G4": 0.45, "G6": 20.0},
        "ratio_counting": median_ratio(ours, counting),
        "ratio_sqlalchemy": _cheaper(ours, idiom),
        "ratio_bare_asyncpg": _cheaper(ours, driver),
        "ours": median_rate(ours),
        "reference_counting": median_rate(counting),
        "unit": "events a core-second of the client",
        "client_and_postgresql_us": _costs(ours),
        "client_and_postgresql_us_sqlalchemy": _costs(idiom),
        "client_and_postgresql_us_bare_asyncpg": _costs(driver),
        "wall_events_per_second": [round(one.events / one.wall) for one in ours],
    }


def _cheaper(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """How many times as much an event costs them, client and PostgreSQL together."""
    return statistics.median(_cost(other) / _cost(one) for one, other in zip(ours, theirs, strict=True))


def _cost(one: Round) -> float:
    return (one.cpu + one.beside) / one.events


def _costs(rounds: Sequence[Round]) -> list[float]:
    return [round(1e6 / median_rate(rounds), 1), round(microseconds_beside(rounds), 1)]


async def _rounds(data: Path, broker: Kafka) -> list[list[Round]]:
    async with AsyncExitStack() as stack:
        server, postmaster = await stack.enter_async_context(postgres(data, "petla_scoring", "sessions", "bare"))
        feed = await stack.enter_async_context(_feed(broker))
        url, folder = server.url, server.socket_folder
        return await taking_turns(
            [
                await stack.enter_async_context(_candidate(feed, url("petla_scoring"), postmaster)),
                await stack.enter_async_context(_counting(feed, broker, postmaster)),
                await stack.enter_async_context(_textbook(feed, broker, sessions(url("sessions")), postmaster)),
                await stack.enter_async_context(_textbook(feed, broker, bare(folder), postmaster)),
            ]
        )


class _Feed:
    """New records a round, and where they begin in each partition."""

    def __init__(self, log: KafkaLog) -> None:
        self.log = log
        self.starts: dict[TopicPartition, int] = {}
        self._round = 0

    async def refill(self) -> None:
        bounds = await self.log.bounds(FEEDBACK)
        self.starts = {TopicPartition(FEEDBACK, number): end for number, (_, end) in bounds.items()}
        self._round += 1
        new = records(f"round{self._round}", EVENTS)
        for first in range(0, EVENTS, _APPENDED_AT_ONCE):
            await self.log.append(new[first : first + _APPENDED_AT_ONCE])


@asynccontextmanager
async def _feed(broker: Kafka) -> AsyncIterator[_Feed]:
    log = KafkaLog(broker.connection)
    yield _Feed(log)
    await log.close()


async def _timed(postmaster: psutil.Process, events: int, work: Awaitable[None]) -> Round:
    cpu, beside, start = time.process_time(), cpu_seconds([postmaster]), time.monotonic()
    await work
    spent = time.process_time() - cpu
    return Round(events, spent, time.monotonic() - start, cpu_seconds([postmaster]) - beside)


@asynccontextmanager
async def _candidate(feed: _Feed, url: str, postmaster: psutil.Process) -> AsyncIterator[Side]:
    async with scoring(feed.log, url) as score:

        async def candidate() -> Round:
            await feed.refill()
            return await _timed(postmaster, EVENTS, score(EVENTS))

        yield candidate


@asynccontextmanager
async def _consumer(broker: Kafka) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, group_id=None, auto_offset_reset="none")
    await consumer.start()
    yield consumer
    await consumer.stop()


def _rewind(consumer: Any, feed: _Feed) -> None:
    consumer.assign(list(feed.starts))
    for partition, start in feed.starts.items():
        consumer.seek(partition, start)


@asynccontextmanager
async def _counting(feed: _Feed, broker: Kafka, postmaster: psutil.Process) -> AsyncIterator[Side]:
    decode = json.Decoder(_Counted).decode

    async def count() -> None:
        seen, counts = 0, Counter[tuple[Any, ...]]()
        while seen < EVENTS:
            for fetched in (await consumer.getmany(timeout_ms=1000)).values():
                seen += len(fetched)
                for record in fetched:
                    event = decode(record.value)
                    answer = event.data
                    counts[answer.metric, answer.segment, event.time.date(), answer.score] += 1
        assert counts.total() == EVENTS

    async def counting() -> Round:
        _rewind(consumer, feed)
        done = await _timed(postmaster, EVENTS, count())
        consumer.pause(*feed.starts)
        return done

    async with _consumer(broker) as consumer:
        yield counting


@asynccontextmanager
async def _textbook(feed: _Feed, broker: Kafka, inserter: Inserter, postmaster: psutil.Process) -> AsyncIterator[Side]:
    """`async for`, decode, insert, commit."""

    async def insert_all() -> None:
        left = TEXTBOOK_EVENTS
        async for record in consumer:
            await insert(read_record(Record(Partition(record.topic, record.partition), 0, record.key, record.value)))
            left -= 1
            if not left:
                return

    async def textbook() -> Round:
        _rewind(consumer, feed)
        done = await _timed(postmaster, TEXTBOOK_EVENTS, insert_all())
        consumer.pause(*feed.starts)
        return done

    async with _consumer(broker) as consumer, inserter as insert:
        yield textbook
