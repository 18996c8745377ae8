"""From the POST of a detractor until its follow-up can be read from the log, at a steady rate, all in one process.

The event leaves after the commit, so this is an upper bound of "follow-up committed".
"""

import asyncio
import statistics
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

from bench.measure import PETLA, data_folder, flush_microseconds, free_port, new_key, process
from shared.consumer.messages import Message, read_record
from shared.log.port import Partition
from shared.log.sqlite import SqliteLog
from shared.settings import Settings

RATE = 200
SECONDS = 10


def post_to_followup() -> dict[str, Any]:
    with data_folder() as data:
        port = free_port()
        with process(PETLA, "up", "--port", str(port), "--data", data, port=port):
            delays = asyncio.run(_delays(port, new_key(data, "events:write"), data))
        flush = flush_microseconds(data)
    return {
        "claim": f"POST to follow-up on the log at {RATE} events a second",
        "must": None,
        "p50_ms": statistics.median(delays) * 1e3,
        "p99_ms": statistics.quantiles(delays, n=100)[98] * 1e3,
        "events": len(delays),
        "flush_us": flush,
        "unit": "milliseconds",
    }


async def _delays(port: int, key: str, data: Path) -> list[float]:
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    total = RATE * SECONDS
    follower = asyncio.create_task(_follow(data, seen, total))
    head = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=head) as http:
        name = uuid.uuid4().hex
        await asyncio.gather(*(_post(http, f"warm-{name}-{number}", {}) for number in range(50)))
        start = time.perf_counter() + 2  # connections, caches and plans are warm before the clock runs
        posts = []
        for number in range(total):
            await asyncio.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            posts.append(asyncio.create_task(_post(http, f"{name}-{number}", sent)))
        await asyncio.gather(*posts)
    await asyncio.wait_for(follower, 30)
    return [seen[customer] - sent[customer] for customer in sent]


async def _post(http: httpx.AsyncClient, customer: str, sent: dict[str, float]) -> None:
    event = {
        "specversion": "1.0",
        "id": customer,
        "source": "/bench",
        "type": "feedback.received.v1",
        "data": {"metric": "nps", "score": 2, "customer": customer},
    }
    sent[customer] = time.perf_counter()
    (await http.post("/v1/events", json=event)).raise_for_status()


async def _follow(data: Path, seen: dict[str, float], total: int) -> None:
    """When each `opened` was there to be read; the reader polls every 20 ms, which is part of the figure."""
    settings = Settings(data=data)
    log = SqliteLog(data / "log", settings.topics())
    topic = settings.topic("followups")
    reader = log.reader()
    await reader.assign({Partition(topic, number): 0 for number in range(await log.partitions(topic))})
    while sum(not customer.startswith("warm-") for customer in seen) < total:
        for record in await reader.read(1000, 0.5):
            message = read_record(record)
            if isinstance(message, Message) and message.event.type == "followup.opened.v1":
                seen[message.data.customer] = time.perf_counter()
    await reader.close()
    await log.close()
