"""Scoring into an empty database from a log that is there already: as after the loss of its database.

The service as it runs in production, publishing included.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from bench.kafka import Kafka, kafka
from bench.measure import PETLA, cpu_seconds, data_folder, free_port, process
from bench.postgres import postgres
from bench.worker import SCORES, TOPICS, records
from shared.log.kafka import KafkaLog

EVENTS = 100_000
_AT_ONCE = 2_000
_LONGEST_SECONDS = 120.0
_SCORED = "SELECT coalesce(sum(n), 0)::bigint FROM consumer_tally"


def rebuild() -> dict[str, Any]:
    with data_folder() as data, kafka(data) as broker:
        broker.make(*TOPICS, SCORES)
        return asyncio.run(_rebuilt(data, broker))


async def _rebuilt(data: Path, broker: Kafka) -> dict[str, Any]:
    await _fill(broker)
    port = free_port()
    async with postgres(data, "petla_scoring") as (server, postmaster):
        command = (PETLA, "up", "scoring", "--port", str(port), "--data", data)
        with process(*command, port=port, **broker.environment) as service:
            connection = await asyncpg.connect(
                host=str(server.socket_folder), port=5432, user="petla", database="petla_scoring"
            )
            events, wall, client, beside = await _watched(connection, service, postmaster)
            await connection.close()
    return {
        "claim": f"scoring rebuilt from a log of {EVENTS} events into an empty database",
        "must": None,
        "events_per_second": events / wall,
        "events_per_core_second": events / (client + beside),
        "client_us": client / events * 1e6,
        "postgresql_us": beside / events * 1e6,
        "unit": "events; a core-second is of client and PostgreSQL together",
    }


async def _fill(broker: Kafka) -> None:
    log = KafkaLog(broker.connection)
    new = records("rebuild", EVENTS)
    for first in range(0, EVENTS, _AT_ONCE):
        await log.append(new[first : first + _AT_ONCE])
    await log.close()


async def _watched(
    connection: "asyncpg.Connection[asyncpg.Record]", service: psutil.Process, postmaster: psutil.Process
) -> tuple[int, float, float, float]:
    """Events, seconds, CPU seconds of the service and of PostgreSQL from the first batch seen to the last."""
    first = await _until(connection, 1)
    start, client, beside = time.monotonic(), cpu_seconds([service]), cpu_seconds([postmaster])
    await _until(connection, EVENTS)
    spent = cpu_seconds([service]) - client, cpu_seconds([postmaster]) - beside
    return EVENTS - first, time.monotonic() - start, *spent


async def _until(connection: "asyncpg.Connection[asyncpg.Record]", count: int) -> int:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while (scored := await _scored(connection)) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{scored} of {count} events after {_LONGEST_SECONDS:g} s")
        await asyncio.sleep(0.05)
    return scored


async def _scored(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    try:
        return int(await connection.fetchval(_SCORED))
    except asyncpg.UndefinedTableError:  # the service has not migrated yet
        return 0
