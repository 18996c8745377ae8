"""Whether a claimed position still means what it meant: the log may have forgotten records, or be another log.

Never a jump to the end: what expired unread is counted as lost and shown; another log is read from its start, and what
comes again from it is absorbed by the facts' unique key.
"""

from collections.abc import Mapping
from typing import NamedTuple

import structlog
from sqlalchemy import TextClause, text

from shared.consumer.leases import Held
from shared.consumer.messages import is_same
from shared.consumer.progress import mark_published
from shared.db import Database
from shared.log.port import Bounds, Log, Reader

_log = structlog.get_logger()

_RESTART = text("""
    UPDATE consumer_offset SET passed = passed + next_offset - origin, origin = :start, next_offset = :start,
        published = :start, incarnation = :incarnation, last_digest = NULL
    WHERE topic = :topic AND partition = :partition AND epoch = :epoch""")
_SKIP_GAP = text("""
    UPDATE consumer_offset SET next_offset = :start, published = :start, origin = origin + :count, last_digest = NULL
    WHERE topic = :topic AND partition = :partition AND epoch = :epoch""")
_GAP = text("""
    INSERT INTO log_gap (topic, partition, first_lost, count) VALUES (:topic, :partition, :first, :count)""")
_INCARNATION = text("""
    UPDATE consumer_offset SET incarnation = :incarnation
    WHERE topic = :topic AND partition = :partition AND epoch = :epoch""")


def is_another(held: Held, incarnation: str) -> bool:
    """Whether the log's name for itself tells that it is not the one that was read; not every log has one."""
    return bool(incarnation and held.incarnation) and incarnation != held.incarnation


class Found(NamedTuple):
    """The log's name for itself, and the bounds of each partition of a topic."""

    incarnation: str
    bounds: Mapping[int, Bounds]


class Positions:
    def __init__(self, log: Log, db: Database) -> None:
        self._log = log
        self._db = db

    async def look(self, topic: str) -> Found:
        """Once for all of its partitions that were claimed: what others append later only moves their ends on."""
        return Found(await self._log.incarnation(topic), await self._log.bounds(topic))

    async def settle(self, held: Held, found: Found, reader: Reader) -> bool:
        """Compare a claimed position with what was found after the claim and correct both, the database first.

        False where there is no such partition (any more); what it owed has been published.
        """
        if held.partition.number not in found.bounds:
            await mark_published(self._db, [held])
            return False
        incarnation, bounds = found.incarnation, found.bounds[held.partition.number]
        if await self._is_another_log(held, incarnation, bounds, reader):
            await self._restart(held, incarnation)
        elif incarnation and held.incarnation != incarnation:
            await self._write(held, _INCARNATION, incarnation=incarnation)
            held.incarnation = incarnation
        if held.expected < bounds.start:
            await self._skip_gap(held, bounds.start)
        return True

    async def _is_another_log(self, held: Held, incarnation: str, bounds: Bounds, reader: Reader) -> bool:
        if is_another(held, incarnation) or held.expected > bounds.end:
            return True
        if held.last_digest is None or held.expected <= bounds.start:
            return False
        last = await reader.record_at(held.partition, held.expected - 1)
        return last is None or not is_same(last, held.last_digest)

    async def _restart(self, held: Held, incarnation: str) -> None:
        _log.error("log_recreated", topic=held.partition.topic, partition=held.partition.number, was_at=held.expected)
        await self._write(held, _RESTART, incarnation=incarnation, start=0)
        held.expected, held.incarnation, held.last_digest = 0, incarnation, None

    async def _skip_gap(self, held: Held, start: int) -> None:
        count = start - held.expected
        topic, number = held.partition
        _log.error("records_lost", topic=topic, partition=number, first=held.expected, count=count)
        async with self._db.transaction() as tx:
            gap = {"topic": topic, "partition": number, "first": held.expected, "count": count}
            moved = await tx.execute(
                _SKIP_GAP, {"topic": topic, "partition": number, "epoch": held.epoch, "start": start, "count": count}
            )
            if moved.rowcount == 1:
                await tx.execute(_GAP, gap)
        held.expected, held.last_digest = start, None

    async def _write(self, held: Held, statement: TextClause, **values: object) -> None:
        where = {"topic": held.partition.topic, "partition": held.partition.number, "epoch": held.epoch}
        async with self._db.transaction() as tx:
            await tx.execute(statement, {**where, **values})
