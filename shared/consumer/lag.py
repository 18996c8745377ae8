"""How many records a consumer has not read yet, by partition: the log's end against the position in the database.

Every process of a service shows all partitions, also those that nobody holds: take the maximum, not the sum.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from shared.consumer.progress import positions
from shared.db import Database
from shared.log.port import Log


class Lag:
    max_age_seconds = 1.0

    def __init__(self, log: Log, db: Database, topics: Iterable[str], registry: CollectorRegistry) -> None:
        self._log = log
        self._db = db
        self._topics = list(topics)
        self._gauge = Gauge(
            "petla_consumer_lag_records", "Records not read yet", ["topic", "partition"], registry=registry
        )

    async def look(self) -> None:
        # The positions first: what is written meanwhile makes the lag larger, never negative.
        async with self._db.snapshot() as tx:
            read = await positions(tx)
        for topic in self._topics:
            for number, (start, end) in (await self._log.bounds(topic)).items():
                lag = end - max(read.get((topic, number), start), start)
                self._gauge.labels(topic, number).set(max(lag, 0))

    def forget(self) -> None:
        self._gauge.clear()
