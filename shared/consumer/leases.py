"""Who reads which partition: rows, claimed with SKIP LOCKED, fenced by an epoch, leased by the database's clock."""

import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.clock import Clock
from shared.db import Database
from shared.log.port import Partition

LEASE_SECONDS = 5
_RENEW_SECONDS = 1.0

_SEEN = text("""
    INSERT INTO worker (id, seen) VALUES (:me, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET seen = excluded.seen""")
_FORGET = text("DELETE FROM worker WHERE id = :me OR seen < clock_timestamp() - interval '1 minute'")
_LIVE = text(f"""
    SELECT count(*), count(*) FILTER (WHERE id < :me)
    FROM worker WHERE seen > clock_timestamp() - interval '{LEASE_SECONDS} s'""")
_RENEW = text(f"""
    UPDATE consumer_offset SET lease_until = clock_timestamp() + interval '{LEASE_SECONDS} s'
    WHERE owner = :me RETURNING topic, partition, epoch, next_offset""")
# A row that vanished by hand takes up the count of what was already read, so that the sums still hold.
_ADD = text("""
    INSERT INTO consumer_offset (topic, partition, passed)
    SELECT t.topic, t.partition, coalesce((SELECT sum(n) FROM consumer_tally y
        WHERE y.topic = t.topic AND y.partition = t.partition), 0)
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[])) AS t(topic, partition)
    ON CONFLICT DO NOTHING""")
# Of a topic that was made anew with fewer partitions, rows without one have nothing to be read. First come those among
# them that owe something: who has its share takes no more.
_CLAIM = text(f"""
    WITH there AS (
        SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[])) AS t(topic, partition))
    UPDATE consumer_offset SET owner = :me, epoch = epoch + 1,
        lease_until = clock_timestamp() + interval '{LEASE_SECONDS} s'
    WHERE (topic, partition) IN (SELECT topic, partition FROM consumer_offset
        WHERE topic IN (SELECT topic FROM there) AND (owner IS NULL OR lease_until < clock_timestamp())
            AND (published < next_offset OR (topic, partition) IN (TABLE there))
        ORDER BY (topic, partition) IN (TABLE there), random() LIMIT :count FOR UPDATE SKIP LOCKED)
    RETURNING topic, partition, epoch, incarnation, next_offset, last_digest, published_at,
        published < next_offset""")
_RELEASE = text("""
    UPDATE consumer_offset SET owner = NULL, lease_until = NULL
    WHERE owner = :me AND (topic, partition) IN (
        SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[])))""")


@dataclass
class Held:
    """A partition this worker may read: `expected` is the offset the database says comes next.

    `owes` when claimed: what was recorded from `published_at` on may not have been published.
    """

    partition: Partition
    epoch: int
    incarnation: str
    expected: int
    last_digest: bytes | None
    published_at: datetime
    owes: bool


class Leases:
    """One worker's part in the sharing. Its id is new for every process, so two can never be taken for one."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.me = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._db = db
        self._clock = clock
        self._renewed_at = 0.0

    async def renew(self) -> dict[Partition, tuple[int, int]]:
        """Say that this worker lives; returns epoch and next offset of every partition that is still its own."""
        self._renewed_at = self._clock.monotonic()
        async with self._db.transaction() as tx:
            await tx.execute(_SEEN, {"me": self.me})
            rows = await tx.execute(_RENEW, {"me": self.me})
            return {Partition(topic, number): (epoch, expected) for topic, number, epoch, expected in rows}

    async def keep(self) -> None:
        """Called on the way through a pass, which on a busy machine takes longer than a lease lasts.

        Without it two workers take each other's partitions for ever, and neither comes to its first batch.
        """
        if self._clock.monotonic() - self._renewed_at >= _RENEW_SECONDS:
            await self.renew()

    async def fair_share(self, total: int) -> int:
        """Shares differ by one at the most: what does not divide evenly goes to the workers with the lowest ids."""
        async with self._db.transaction() as tx:
            live, before_me = (await tx.execute(_LIVE, {"me": self.me})).one()
        each, left = divmod(total, max(live, 1))
        return int(each + (before_me < left))

    async def add_missing(self, partitions: Iterable[Partition]) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(_ADD, _columns(partitions))

    async def claim(self, there: Iterable[Partition], count: int) -> list[Held]:
        """At most `count` partitions that nobody holds, each with a new epoch that fences the former owner.

        Of those that are `there`, or owe something.
        """
        async with self._db.transaction() as tx:
            rows = await tx.execute(_CLAIM, {"me": self.me, "count": count, **_columns(there)})
            return [Held(Partition(topic, number), *rest) for topic, number, *rest in rows]

    async def release(self, partitions: Iterable[Partition]) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(_RELEASE, {"me": self.me, **_columns(partitions)})

    async def leave(self, partitions: Iterable[Partition]) -> None:
        """Give everything back at once, so that the others need not wait for a lease to run out."""
        await self.release(partitions)
        async with self._db.transaction() as tx:
            await tx.execute(_FORGET, {"me": self.me})


def _columns(partitions: Iterable[tuple[str, int]]) -> dict[str, list[str] | list[int]]:
    listed = list(partitions)
    return {"topics": [topic for topic, _ in listed], "partitions": [number for _, number in listed]}
