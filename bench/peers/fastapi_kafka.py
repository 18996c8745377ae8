"""The idiom for a durable endpoint on Kafka: FastAPI, Pydantic models, `send_and_wait` for each event.

python -m bench.peers.fastapi_kafka PORT SERVERS TOPIC
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from fastapi import FastAPI

from bench.peers.events import Event


def create_app(servers: str, topic: str) -> FastAPI:
    producer: AIOKafkaProducer

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal producer
        producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all")
        await producer.start()
        yield
        await producer.stop()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/events", status_code=202)
    async def take(event: Event) -> dict[str, str]:
        fact = _fact(event)
        await producer.send_and_wait(topic, event.model_dump_json().encode(), key=fact.encode())
        return {"id": fact}

    @app.post("/v1/batches", status_code=202)
    async def take_all(events: list[Event]) -> dict[str, list[str]]:
        facts = [_fact(event) for event in events]
        await asyncio.gather(
            *(
                producer.send_and_wait(topic, event.model_dump_json().encode(), key=fact.encode())
                for fact, event in zip(facts, events, strict=True)
            )
        )
        return {"ids": facts}

    return app


def _fact(event: Event) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event.source} {event.id}"))


if __name__ == "__main__":
    import sys

    import uvicorn

    port, servers, topic = sys.argv[1:]
    uvicorn.run(create_app(servers, topic), host="127.0.0.1", port=int(port), access_log=False, log_level="warning")
