"""A service as small as one can be: it counts sessions, each once, and publishes a word about each.

`Failpoints` end the process (as a kill would) at the n-th place where it touches the database or the log.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.consumer.messages import Handled, Message
from shared.consumer.progress import TopicProgress, progress
from shared.consumer.rejections import Rejections
from shared.consumer.tables import CREATE
from shared.consumer.worker import Worker
from shared.db import Database
from shared.log.port import Durability, Log, NewRecord, Partition, Reader, Topic
from tests.shared.consumer.faults import Fault

TOPIC, TOLD = "petla.activity", "petla.told"
TOPICS = [Topic(TOPIC, 4, 168), Topic(TOLD, 1, None)]
TABLES = (
    *CREATE,
    """CREATE TABLE session (id uuid PRIMARY KEY, name text NOT NULL, partition integer NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT now())""",
)
_EMPTIED = ("session", "consumer_offset", "consumer_tally", "worker", "log_gap", "dead_letter")
_COUNT = text("""
    INSERT INTO session (id, name, partition)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:partitions AS integer[]))
    ON CONFLICT DO NOTHING RETURNING CAST(id AS text)""")


class HeldClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        raise AssertionError("leases and positions are the database's time")

    def monotonic(self) -> float:
        return self.seconds


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class Failpoints:
    """Counts the places that are passed; at the one numbered `at` the process ends, or meets another error."""

    def __init__(self, at: int | None = None, error: BaseException | None = None) -> None:
        self.passed = 0
        self._at = at
        self._error = error or Killed()

    def __call__(self) -> None:
        self.passed += 1
        if self.passed == self._at:
            raise self._error


class WatchedDatabase:
    """`lose_answer` is raised once, after the next commit: the server has it, the client cannot know."""

    def __init__(self, db: Database, failpoint: Failpoints) -> None:
        self._db = db
        self._failpoint = failpoint
        self.lose_answer: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self._failpoint()
        async with self._db.transaction() as tx:
            yield tx
            self._failpoint()
        self._failpoint()
        if self.lose_answer:
            error, self.lose_answer = self.lose_answer, None
            raise error


class WatchedLog:
    def __init__(self, log: Log, failpoint: Failpoints) -> None:
        self._log = log
        self._failpoint = failpoint

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        self._failpoint()
        durability = await self._log.append(records)
        self._failpoint()
        return durability

    def reader(self) -> Reader:
        self.made_reader = self._log.reader()
        return self.made_reader


class Counting:
    """The handler. A fault of `broken` strikes whenever its name is in the batch, those of `faults` once a call."""

    def __init__(self, failpoint: Failpoints) -> None:
        self.broken: dict[str, Fault] = {}
        self.faults: list[Fault] = []
        self.calls: list[int] = []
        self._failpoint = failpoint

    async def count(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        self.calls.append(len(messages))
        self._failpoint()
        if self.faults:
            await self.faults.pop(0)(tx)
        for message in messages:
            if fault := self.broken.get(message.event.id):
                await fault(tx)
        handled = Handled()
        first: dict[str, Message] = {}
        for message in messages:
            if first.setdefault(message.event.factid, message) is not message:
                handled.duplicates[message.record.partition] += 1
        new = await self._insert(first, tx)
        for fact, message in first.items():
            if fact in new:
                handled.publish.append(NewRecord(TOLD, b"", message.event.id.encode()))
            else:
                handled.duplicates[message.record.partition] += 1
        self._failpoint()
        return handled

    async def _insert(self, first: dict[str, Message], tx: AsyncConnection) -> set[str]:
        rows = await tx.execute(
            _COUNT,
            {
                "ids": list(first),
                "names": [message.event.id for message in first.values()],
                "partitions": [message.record.partition.number for message in first.values()],
            },
        )
        return set(rows.scalars())

    async def publish_again(self, partition: Partition, since: datetime, tx: AsyncConnection) -> list[NewRecord]:
        recorded = text("SELECT name FROM session WHERE partition = :number AND recorded_at >= :since")
        rows = await tx.execute(recorded, {"number": partition.number, "since": since})
        return [NewRecord(TOLD, b"", name.encode()) for name in rows.scalars()]


class Process:
    """One worker with its own connection to everything."""

    def __init__(self, ledger: "Ledger", failpoint: Failpoints, unlimited: bool) -> None:
        self.clock = HeldClock()
        self.counting = Counting(failpoint)
        self.log: Any = WatchedLog(ledger.log, failpoint)
        self.db: Any = WatchedDatabase(ledger.db, failpoint)
        subscriptions = {"session.ended.v1": self.counting.count}
        again = self.counting.publish_again
        self.worker = Worker(
            self.log,
            self.db,
            [TOPIC],
            subscriptions,  # type: ignore[arg-type]
            self.clock,  # type: ignore[arg-type]
            again,
            rejections=Rejections(unlimited=unlimited),
        )

    async def run(self) -> int:
        """Until there is nothing left to read; returns how many records were."""
        read = 0
        while done := await self.worker.run_once():
            read += done
        return read

    async def later(self) -> int:
        """A pass after the time at which memberships are looked at."""
        self.clock.seconds += 1.0
        return await self.worker.run_once()


class Ledger:
    def __init__(self, db: Database, log: Log) -> None:
        self.db = db
        self.log: Any = log
        self.processes: list[Process] = []

    async def empty(self) -> None:
        """As if nothing had ever been read: cheaper than a new database."""
        *others, last = (f"DELETE FROM {table}" for table in _EMPTIED)
        chain = ", ".join(f"t{at} AS ({statement} RETURNING 1)" for at, statement in enumerate(others))
        await self.execute(f"WITH {chain} {last}")

    def process(self, failpoint: Failpoints | None = None, *, unlimited: bool = False) -> Process:
        self.processes.append(Process(self, failpoint or Failpoints(), unlimited))
        return self.processes[-1]

    async def expire_leases(self) -> None:
        """What happens once the owners have been silent for long enough."""
        await self.execute("UPDATE consumer_offset SET lease_until = clock_timestamp() - interval '1 s'")
        await self.execute("DELETE FROM worker")

    async def seconds_pass(self, seconds: float) -> None:
        """For the database, whose clock nobody can hold: what it remembers lies so much longer ago."""
        await self.execute("UPDATE consumer_offset SET lease_until = lease_until - :s * interval '1 s'", s=seconds)
        await self.execute("UPDATE worker SET seen = seen - :s * interval '1 s'", s=seconds)

    async def execute(self, statement: str, **values: Any) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(text(statement), values)

    async def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.db.snapshot() as tx:
            return [tuple(row) for row in await tx.execute(text(statement), values)]

    async def counted(self) -> list[str]:
        return sorted(name for (name,) in await self.rows("SELECT name FROM session"))

    async def shares(self) -> list[int]:
        """How many partitions each owner has, the fewest first; 0 for what nobody has."""
        rows = await self.rows("SELECT count(owner) FROM consumer_offset GROUP BY owner")
        return sorted(count for (count,) in rows)

    async def letters(self) -> list[tuple[int, str]]:
        """Offset and reason, in the order of the log."""
        return [
            (offset, reason)
            for offset, reason in await self.rows("SELECT log_offset, reason FROM dead_letter ORDER BY 1, 2")
        ]

    async def progress(self) -> TopicProgress:
        async with self.db.snapshot() as tx:
            return (await progress(tx)).get(TOPIC, TopicProgress())

    async def adds_up(self) -> bool:
        """read = new + duplicates + conflicts + rejected, as the reconciliation has it."""
        done = await self.progress()
        return done.read == sum(done.outcomes.values())

    def told(self) -> Counter[str]:
        """What was published, and how often."""
        return Counter((record.value or b"").decode() for record in self.log.records(TOLD))
