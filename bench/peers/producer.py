"""The client's limit: `create_batch`, `append` and `send_batch` of a hundred events that are there already.

    python -m bench.peers.producer SERVERS TOPIC EVENTS

prints {"events", "cpu", "wall"} of the sending alone.
"""

import asyncio
import json
import sys
import time

import uvloop
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

from bench.load import event

BATCH = 100
AT_ONCE = 12  # as many partitions have a batch on its way


async def send(servers: str, topic: str, events: int) -> dict[str, float]:
    documents = [event("limit", number) for number in range(BATCH)]
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", enable_idempotence=False, max_batch_size=1_000_000
    )
    await producer.start()
    partitions = sorted(await producer.partitions_for(topic))
    left = events // BATCH

    async def lane(partition: int) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            batch = producer.create_batch()
            for document in documents:
                batch.append(timestamp=None, key=None, value=document)
            await (await producer.send_batch(batch, topic, partition=partition))

    cpu, start = time.process_time(), time.monotonic()
    await asyncio.gather(*(lane(partition) for partition in partitions[:AT_ONCE]))
    result = {"events": events, "cpu": time.process_time() - cpu, "wall": time.monotonic() - start}
    await producer.stop()
    return result


if __name__ == "__main__":
    servers, topic, events = sys.argv[1:]
    print(json.dumps(uvloop.run(send(servers, topic, int(events)))))
