"""A consumer that asks the broker when it is asked itself, so that a read finds all that has come by then.

aiokafka's asks ahead, and a broker answers at the first record. Of what comes while a batch is being committed, one or
two records would then be the next batch, and all others wait for the one after.

And it hands records out as they were parsed: aiokafka's makes an object of eleven fields of each, a third of what
reading costs.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from aiokafka.consumer.fetcher import FetchResult  # type: ignore[import-untyped]
from aiokafka.protocol.fetch import FetchRequest  # type: ignore[import-untyped]


class AskedConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """It asks ahead while more is there than one read takes, and goes on asking when a read found nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._asked = asyncio.Event()
        self._client.send = self._once_asked(self._client.send)

    async def start(self) -> None:
        await super().start()
        self._fetcher._proc_fetch_request = self._as_parsed(self._fetcher._proc_fetch_request)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        self._asked.set()
        found: dict[TopicPartition, list[Any]] = await super().getmany(
            *partitions, timeout_ms=timeout_ms, max_records=max_records
        )
        if 0 < sum(map(len, found.values())) < max_records:
            self._asked.clear()
        return found

    def _once_asked(self, send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def send_asked(broker: int, request: Any, **options: Any) -> Any:
            if isinstance(request, FetchRequest):
                await self._asked.wait()
            return await send(broker, request, **options)

        return send_asked

    def _as_parsed(self, fetch: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
        async def fetch_as_parsed(*asked: Any) -> bool:
            has_news = await fetch(*asked)
            for fetched in self._fetcher._records.values():
                if isinstance(fetched, FetchResult):  # or it is an error
                    fetched._partition_records._consumer_record = _as_it_is
            return has_news

        return fetch_as_parsed


def _as_it_is(_: TopicPartition, record: Any) -> Any:
    """It has the offset, the key and the value, and does not know where it lies."""
    return record
