"""What is left of a person on disks once the rows are empty: records of the embedded log, and the database's own files.

A database keeps what was replaced: old versions of rows, samples for its planner, its write-ahead log. Where the server
is ours, all of it is written anew; of somebody else's only what any user may ask for, and the rest is told.
"""

from collections.abc import Sequence

import structlog

from shared.consumer.messages import Message, read_record
from shared.database_server import connect
from shared.db import Database
from shared.erasure.arrivals import Arrivals, without_person
from shared.erasure.marks import Marks, body_of
from shared.events.raw import WebhookReceived
from shared.log.port import Log, Record, Rewritable

_LIMITS = {"lock_timeout": "10000", "timezone": "UTC"}
# A table is written anew while nobody can use it: beyond this size that would take longer than anybody should wait.
_LARGEST_BYTES = 1024**3
_SIZE = "SELECT pg_total_relation_size(CAST($1 AS regclass))"
_NOBODY = b"erased"
_log = structlog.get_logger(__name__)


class Traces:
    """`topics` are rewritten where the log is ours; `owned` says whether the database's server is."""

    def __init__(
        self, log: Log, topics: Sequence[str], arrivals: Arrivals, db: Database, tables: Sequence[str], *, owned: bool
    ) -> None:
        self._log = log
        self._topics = topics
        self._arrivals = arrivals
        self._db = db
        self._tables = tables
        self._owned = owned

    async def rewrite_log(self, marks: Marks) -> None:
        """Where it is ours. Safe to be interrupted and begun again."""
        if isinstance(self._log, Rewritable):
            for topic in self._topics:
                changed = await self._log.rewrite(topic, _Change(self._arrivals, self._db, marks))
                _log.info("log_rewritten", topic=topic, records=changed)

    async def rewrite_files(self) -> list[str]:
        """A sentence for each thing that is left, with what ends it."""
        return await rewrite_files(self._db.url, self._tables, owned=self._owned)


class _Change:
    """What stands on the log instead of an erased person's records."""

    def __init__(self, arrivals: Arrivals, db: Database, marks: Marks) -> None:
        self._arrivals = arrivals
        self._db = db
        self._marks = marks

    async def __call__(self, records: Sequence[Record]) -> list[bytes | None]:
        read = [read_record(record) for record in records]
        messages = [item for item in read if isinstance(item, Message)]
        async with self._db.snapshot() as tx:
            rests, _ = await self._arrivals.rests(messages, tx)
        values = {id(message): self._rest(message, rest) for message, rest in zip(messages, rests, strict=True)}
        return [
            _changed(record, values[id(item)] if isinstance(item, Message) else self._unreadable(record))
            for record, item in zip(records, read, strict=True)
        ]

    def _rest(self, message: Message, rest: Message | None) -> bytes | None:
        """A delivery that made no event of theirs may still be about them."""
        if rest is None and isinstance(message.data, WebhookReceived) and self._marks.found_in(body_of(message.data)):
            rest = without_person(message)
        return rest and rest.record.value

    def _unreadable(self, record: Record) -> bytes | None:
        return _NOBODY if self._marks.found_in(record.value or b"") else None


def _changed(record: Record, value: bytes | None) -> bytes | None:
    return None if value == record.value else value


async def rewrite_files(url: str, tables: Sequence[str], *, owned: bool) -> list[str]:
    """Of the database at `url`: what was replaced in these tables is nowhere in its files afterwards.

    Returns a sentence for each part that stays as it is. Raises what the server does.
    """
    connection = await connect(url, _LIMITS)
    try:
        left = []
        for table in tables:
            if owned and await connection.fetchval(_SIZE, table) <= _LARGEST_BYTES:
                await connection.execute(f"VACUUM (FULL, ANALYZE) {table}")
                continue
            await connection.execute(f"VACUUM (ANALYZE) {table}")
            if owned:
                left.append(f"the table {table} is large: the room its old rows left is used again by new ones")
        if not owned:
            return ["the database server's files and write-ahead log are its operator's: they are used again in time"]
        await connection.execute("VACUUM FULL pg_catalog.pg_statistic")  # it holds samples of the columns
        await connection.execute("SELECT pg_switch_wal()")
        await connection.execute("CHECKPOINT")
        return left
    finally:
        await connection.close()
