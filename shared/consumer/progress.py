"""How far a service has read and what became of it: from the offsets, and apart from that from the tally."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.consumer.leases import Held
from shared.db import Database

_PUBLISHED = text("""
    UPDATE consumer_offset o SET published = o.next_offset, published_at = now()
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:epochs AS bigint[]))
        AS v(topic, partition, epoch)
    WHERE o.topic = v.topic AND o.partition = v.partition AND o.epoch = v.epoch AND o.published < o.next_offset""")
_OFFSETS = text("SELECT topic, partition, next_offset, passed + next_offset - origin FROM consumer_offset")
_TALLY = text("SELECT topic, outcome, sum(n)::bigint FROM consumer_tally GROUP BY topic, outcome HAVING sum(n) <> 0")
_LOST = text("SELECT topic, sum(count)::bigint FROM log_gap GROUP BY topic")


@dataclass
class TopicProgress:
    """`read` is counted from offsets, `outcomes` from what the batches became; `lost` expired before it was read."""

    offsets: dict[int, int] = field(default_factory=dict)
    read: int = 0
    lost: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> dict[str, int]:
        prefix = "rejected."
        return {name.removeprefix(prefix): n for name, n in self.outcomes.items() if name.startswith(prefix)}


async def mark_published(db: Database, held: Iterable[Held]) -> None:
    """Everything up to the position has been acknowledged by the log; nothing needs to be sent again."""
    owned = list(held)
    async with db.transaction() as tx:
        await tx.execute(
            _PUBLISHED,
            {
                "topics": [one.partition.topic for one in owned],
                "partitions": [one.partition.number for one in owned],
                "epochs": [one.epoch for one in owned],
            },
        )


async def positions(tx: AsyncConnection) -> dict[tuple[str, int], int]:
    """The next offset of every partition, by topic and number."""
    return {(topic, partition): next_offset for topic, partition, next_offset, _ in await tx.execute(_OFFSETS)}


async def progress(tx: AsyncConnection) -> dict[str, TopicProgress]:
    """By topic; an empty dict before anything was read."""
    topics: dict[str, TopicProgress] = {}
    for topic, partition, next_offset, read in await tx.execute(_OFFSETS):
        entry = topics.setdefault(topic, TopicProgress())
        entry.offsets[partition] = next_offset
        entry.read += read
    for topic, outcome, n in await tx.execute(_TALLY):
        topics.setdefault(topic, TopicProgress()).outcomes[outcome] = n
    for topic, count in await tx.execute(_LOST):
        topics.setdefault(topic, TopicProgress()).lost = count
    return topics
