"""One topic of the embedded log: one SQLite file in WAL mode, `synchronous=FULL`.

Blocking; `sqlite.py` runs it in threads.

A record's row id is its partition and offset in one integer, so the table itself is the index.
"""

import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from shared.log.port import Bounds, OffsetOutOfRange, Partition, Record, Topic

_OFFSET_BITS = 44
_BUSY_SECONDS = 5.0
_EXPIRE_CHUNK = 10_000

# What is deleted is overwritten: a forgotten record must not be found in the room it left.
_PRAGMAS = "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (position INTEGER PRIMARY KEY, at INTEGER NOT NULL, key BLOB, value BLOB);
CREATE TABLE IF NOT EXISTS head (partition INTEGER PRIMARY KEY, next_offset INTEGER, start_offset INTEGER);
CREATE TABLE IF NOT EXISTS incarnation (id TEXT NOT NULL);
"""

_MOVES = " ON CONFLICT (partition) DO UPDATE SET next_offset = excluded.next_offset"
_MOST_ROWS = 64  # of a statement: so many texts, each of which a connection prepares once and keeps

Row = tuple[int, bytes, bytes | None]  # partition, key, value


def _insert(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]], conflict: str = "") -> None:
    """Many rows with one statement. At each step of one Python's lock is given away and taken back, and to take it from
    a busy event loop costs more than to write a row.
    """
    for first in range(0, len(rows), _MOST_ROWS):
        taken = rows[first : first + _MOST_ROWS]
        connection.execute(_statement(into, len(taken[0]), len(taken), conflict), [*chain.from_iterable(taken)])


@lru_cache(maxsize=256)
def _statement(into: str, columns: int, count: int, conflict: str) -> str:
    row = "(" + ", ".join("?" * columns) + ")"
    return into + ", ".join([row] * count) + conflict


class TopicFile:
    """One connection to a topic's file. A process has one for writing and each reader one of its own."""

    def __init__(self, path: Path, topic: Topic) -> None:
        self.topic = topic
        self._connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=4 * _MOST_ROWS
        )
        try:
            self._connection.executescript(_PRAGMAS)
            self._create()
        except BaseException:
            self._connection.close()
            raise

    def _create(self) -> None:
        with self._transaction() as connection:
            for statement in _SCHEMA.strip().splitlines():
                connection.execute(statement)
            if connection.execute("SELECT count(*) FROM incarnation").fetchone()[0] == 0:
                connection.execute("INSERT INTO incarnation VALUES (?)", (str(uuid.uuid4()),))
                heads = [(number, 0, 0) for number in range(self.topic.partitions)]
                connection.executemany("INSERT INTO head VALUES (?, ?, ?)", heads)
        self.partitions: int = self._connection.execute("SELECT count(*) FROM head").fetchone()[0]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # on some errors SQLite has rolled back already
                self._connection.execute("ROLLBACK")
            raise

    def append(self, rows: Sequence[Row], at_ms: int) -> None:
        """All rows in one commit, which returns after the flush to the disk."""
        with self._transaction() as connection:
            heads = self._heads()
            records = []
            for partition, key, value in rows:
                offset = heads[partition]
                heads[partition] = offset + 1
                records.append((partition << _OFFSET_BITS | offset, at_ms, key, value))
            _insert(connection, "INSERT OR ROLLBACK INTO record VALUES ", records)
            moved = [(partition, heads[partition], 0) for partition in {row[0] for row in rows}]
            _insert(connection, "INSERT OR ROLLBACK INTO head VALUES ", moved, _MOVES)
            if self.topic.compacted:
                self._compact(connection, records)

    def _heads(self) -> dict[int, int]:
        """The next offset of each partition; in one row, for the reason that `_insert` has."""
        (heads,) = self._connection.execute("SELECT json_group_object(partition, next_offset) FROM head").fetchone()
        return {int(partition): offset for partition, offset in json.loads(heads).items()}

    def _compact(self, connection: sqlite3.Connection, records: Sequence[tuple[int, int, bytes, bytes | None]]) -> None:
        connection.executemany(
            "DELETE FROM record WHERE key = ? AND position < ?", [(key, position) for position, _, key, _ in records]
        )

    def read(self, positions: Mapping[int, int], limit: int) -> list[Record]:
        """Records from each partition's position on, at most `limit`; partitions are served in the given order."""
        bounds = self.bounds()
        found: list[Record] = []
        for number, position in positions.items():
            start, end = bounds[number]
            if not start <= position <= end:
                raise OffsetOutOfRange(Partition(self.topic.name, number), position)
            if position < end and len(found) < limit:
                found += self.records(number, position, limit - len(found))
        return found

    def records(self, number: int, position: int, limit: int) -> Iterator[Record]:
        """Those from `position` on, each taken from the file when it is asked for."""
        partition = Partition(self.topic.name, number)
        first = number << _OFFSET_BITS
        rows = self._connection.execute(
            "SELECT position, key, value FROM record WHERE position >= ? AND position < ? ORDER BY position LIMIT ?",
            (first | position, (number + 1) << _OFFSET_BITS, limit),
        )
        return (Record(partition, at - first, key, value) for at, key, value in rows)

    def record_at(self, number: int, offset: int) -> Record | None:
        found = next(self.records(number, offset, 1), None)
        return found if found and found.offset == offset else None

    def bounds(self) -> dict[int, Bounds]:
        rows = self._connection.execute("SELECT partition, start_offset, next_offset FROM head")
        return {number: Bounds(start, end) for number, start, end in rows}

    def incarnation(self) -> str:
        return str(self._connection.execute("SELECT id FROM incarnation").fetchone()[0])

    def version(self) -> int:
        """Another number than last time means that another connection has written since."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def used_bytes(self) -> int:
        """What the records take in the file; room that was given back does not count."""
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def drop_before(self, number: int, offset: int) -> None:
        """Forget a partition's records before `offset`, which becomes its start."""
        first = number << _OFFSET_BITS
        with self._transaction() as connection:
            connection.execute("DELETE FROM record WHERE position >= ? AND position < ?", (first, first | offset))
            connection.execute("UPDATE head SET start_offset = ? WHERE partition = ?", (offset, number))

    def expire(self, before_ms: int) -> int:
        """Delete records older than that, oldest first; each partition's start moves up. Returns how many went."""
        return sum(self._expire_partition(number, before_ms) for number in range(self.partitions))

    def _expire_partition(self, number: int, before_ms: int) -> int:
        removed = 0
        first, last = number << _OFFSET_BITS, (number + 1) << _OFFSET_BITS
        while True:
            with self._transaction() as connection:
                old = connection.execute(
                    "SELECT position FROM (SELECT position, at FROM record WHERE position >= ? AND position < ?"
                    " ORDER BY position LIMIT ?) WHERE at < ?",
                    (first, last, _EXPIRE_CHUNK, before_ms),
                ).fetchall()
                if not old:
                    return removed
                newest = old[-1][0]
                connection.execute("DELETE FROM record WHERE position >= ? AND position <= ?", (first, newest))
                connection.execute("UPDATE head SET start_offset = ? WHERE partition = ?", (newest - first + 1, number))
            removed += len(old)

    def replace(self, number: int, values: Mapping[int, bytes]) -> None:
        """Other values for records at these offsets of a partition; those that are gone stay gone."""
        first = number << _OFFSET_BITS
        with self._transaction() as connection:
            changed = [(value, first | offset) for offset, value in values.items()]
            connection.executemany("UPDATE record SET value = ? WHERE position = ?", changed)

    def scrub(self) -> None:
        """Write the file anew and empty its WAL: nothing is left of what was replaced or deleted.

        Others wait meanwhile, about a second for each 100 MB; whoever reads for longer than the busy time fails it.
        """
        self._connection.execute("VACUUM")
        self.truncate_wal()

    def truncate_wal(self) -> None:
        busy, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("somebody reads the file at the moment")

    def close(self) -> None:
        self._connection.close()
