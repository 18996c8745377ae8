"""From the POST of a detractor until its follow-up is committed, on a real Kafka and PostgreSQL, three processes.

Held against the floor F of this machine, measured in the same run: the wait of a fetch, one flush, and one idle ack.
Both are measured once the broker is warm: for the first half minute its compiler takes as much of the machine as it.
Commits are timed by PostgreSQL itself, which notes the time just before the flush: the flush is added.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]

from bench.kafka import Kafka, kafka
from bench.load import SCORES, event
from bench.measure import PETLA, cpu_seconds, data_folder, flush_microseconds, free_port, new_key, process
from bench.paced import post
from shared.embedded_postgres import EmbeddedPostgres

RATE = 500
SECONDS = 10
_WARM_UP_SECONDS = 30
_PROBES = 200
_SETTLED_SECONDS = 30.0
_PROBE = "bench.probe"
_COMMITTED = """
    SELECT customer, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM followup
    WHERE starts_with(customer, $1)"""


def post_to_followup() -> dict[str, Any]:
    with data_folder() as data, kafka(data) as broker, _postgres(data) as socket_folder:
        broker.make(_PROBE)
        with _services(data, broker) as (port, processes):
            key = new_key(data, "events:write", **broker.environment)
            uvloop.run(_send(port, key, socket_folder, "warm", _WARM_UP_SECONDS))  # the broker, leases, plans
            fetch, ack = uvloop.run(_floor(broker))
            flush = flush_microseconds(data) / 1e6
            before = {name: cpu_seconds([one]) for name, one in processes.items()}
            answers, delays = uvloop.run(_send(port, key, socket_folder, "timed", SECONDS))
            busy = {name: cpu_seconds([one]) - before[name] for name, one in processes.items()}
    floor = fetch + flush + ack
    after_flush = [delay + flush for delay in delays]
    return {
        "claim": f"G9: POST to follow-up committed, {RATE} events a second; F = fetch wait + flush + idle ack",
        "must": "p50 <= 4 F, p99 <= max(6 p50, 25 ms)",
        "floor_ms": floor * 1e3,
        "fetch_ack_flush_ms": [round(part * 1e3, 2) for part in (fetch, ack, flush)],
        "p50_over_floor": statistics.median(after_flush) / floor,
        "p50_ms": statistics.median(after_flush) * 1e3,
        "p99_ms": _p99(after_flush) * 1e3,
        "answer_p50_ms": statistics.median(answers) * 1e3,
        "answer_p99_ms": _p99(answers) * 1e3,
        "followups": len(delays),
        "cpu_us_an_event": {name: round(seconds * 1e6 / len(answers)) for name, seconds in busy.items()},
        "unit": "milliseconds",
    }


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


async def _floor(broker: Kafka) -> tuple[float, float]:
    """Median seconds from a send until a waiting consumer has the record, and until its ack, one at a time."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.address, acks="all", enable_idempotence=False)
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address, group_id=None, auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    consumer.assign([TopicPartition(_PROBE, 0)])
    fetches, acks = [], []
    for number in range(2 * _PROBES):
        reading = asyncio.create_task(consumer.getone())
        await asyncio.sleep(0.005)
        start = time.perf_counter()
        sending = asyncio.create_task(producer.send_and_wait(_PROBE, event("probe", number), partition=0))
        sending.add_done_callback(lambda _, start=start: acks.append(time.perf_counter() - start))  # type: ignore[misc]
        await reading
        fetches.append(time.perf_counter() - start)
        await sending
    await producer.stop()
    await consumer.stop()
    return statistics.median(fetches[_PROBES:]), statistics.median(acks[_PROBES:])


@contextmanager
def _postgres(data: Path) -> Iterator[Path]:
    """One that notes when each transaction was committed; the services join it."""
    embedded = EmbeddedPostgres(data)
    folder = embedded.start().socket_folder
    asyncio.run(_note_commits(folder))
    embedded.release()
    embedded.start()
    try:
        yield folder
    finally:
        embedded.release()


async def _note_commits(socket_folder: Path) -> None:
    connection = await _connect(socket_folder, "postgres")
    await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    await connection.close()


async def _connect(socket_folder: Path, database: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(host=str(socket_folder), port=5432, user="petla", database=database)


@contextmanager
def _services(data: Path, broker: Kafka) -> Iterator[tuple[int, dict[str, psutil.Process]]]:
    """The port of ingest, and every process that has a part in it."""
    ports = {name: free_port() for name in ("ingest", "scoring", "alerts")}
    postmaster = int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0])
    processes = {"broker": broker.process, "postgresql": psutil.Process(postmaster)}
    with ExitStack() as stack:
        for name, port in ports.items():
            command = (PETLA, "up", name, "--port", str(port), "--data", data)
            processes[name] = stack.enter_context(process(*command, port=port, **broker.environment))
        yield ports["ingest"], processes


async def _send(port: int, key: str, folder: Path, name: str, seconds: int) -> tuple[list[float], list[float]]:
    bodies = [_of_its_own(name, number) for number in range(RATE * seconds)]
    times = await post(port, key, bodies, RATE)
    detractors = sum(SCORES[number % len(SCORES)] <= 6 for number in range(len(bodies)))
    committed = await _committed(folder, f"{name}-", detractors)
    answers = [answered - sent for sent, answered in times]
    return answers, [at - times[int(customer.split("-")[1])][0] for customer, at in committed.items()]


def _of_its_own(name: str, number: int) -> bytes:
    """An event of a customer who can be told from all others."""
    return event(name, number).replace(b'"customer": "c-', b'"customer": "%s-%d-' % (name.encode(), number))


async def _committed(folder: Path, prefix: str, count: int) -> dict[str, float]:
    """When each follow-up was, by customer."""
    deadline = time.monotonic() + _SETTLED_SECONDS
    connection = await _connect(folder, "petla_alerts")
    while len(rows := await connection.fetch(_COMMITTED, prefix)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(rows)} of {count} follow-ups after {_SETTLED_SECONDS:g} s")
        await asyncio.sleep(0.2)
    await connection.close()
    return {row[0]: row[1] for row in rows}
