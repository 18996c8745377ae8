"""The consumer: claims partitions, reads what is there, commits it as one transaction, publishes what came of it.

Every effect happens exactly once: the position moves in the transaction of the effects, behind a fence that a worker
which lost its partition cannot pass. A record that cannot be processed is isolated and set aside; its neighbours count.
"""

from collections.abc import Iterable, Sequence

import structlog

from shared.clock import Clock
from shared.consumer.batches import Item, LeaseLost, commit_batch, last_records
from shared.consumer.leases import Held, Leases
from shared.consumer.messages import Letter, Republish, Subscriptions, read_record
from shared.consumer.positions import Positions
from shared.consumer.progress import mark_published
from shared.db import Database, first_line, is_statement_timeout, is_transient
from shared.log.port import Log, NewRecord, OffsetOutOfRange, Partition, Reader, Record
from shared.logs import failure

_log = structlog.get_logger()

BATCH_RECORDS = 2_000
READ_WAIT_SECONDS = 0.25
MEMBERSHIP_SECONDS = 1.0
MAX_REJECTED_IN_A_ROW = 50
_RATIO_FROM = 100


class Halted(Exception):  # noqa: N818 - a state, not a mistake
    """Too much cannot be processed: going on would empty the topic into the dead letters."""


class Worker:
    """One consumer of a service. `run_once` is a pass; a `Loop` repeats it; `stop` gives the partitions back."""

    def __init__(
        self,
        log: Log,
        db: Database,
        topics: Iterable[str],
        subscriptions: Subscriptions,
        clock: Clock,
        republish: Republish | None = None,
    ) -> None:
        self.problem: str | None = None
        self._log = log
        self._db = db
        self._topics = list(topics)
        self._subscriptions = subscriptions
        self._clock = clock
        self._republish = republish
        self._leases = Leases(db, self._topics)
        self._positions = Positions(log, db)
        self._reader: Reader = log.reader()
        self._held: dict[Partition, Held] = {}
        self._unpublished: list[NewRecord] = []
        self._to_mark = False
        self._membership_due = 0.0
        self._known_partitions = 0
        self._rejected_in_a_row = 0

    async def run_once(self) -> int:
        """Keep the leases, then read and commit one batch; returns the number of records."""
        if self.problem:
            return 0
        try:
            await self._publish()
            if self._clock.monotonic() >= self._membership_due:
                await self._keep_membership()
            return await self._read_and_commit()
        except (LeaseLost, OffsetOutOfRange) as error:
            _log.warning("partitions_claimed_again", reason=first_line(error))
            await self._give_back(list(self._held))
        except Halted as error:
            self.problem = str(error)
            _log.error("consumer_halted", reason=self.problem)
            await self._give_back(list(self._held))
        return 0

    async def stop(self) -> None:
        """Give the partitions back, so that nobody has to wait for a lease to run out."""
        try:
            await self._publish()
            await self._leases.leave(self._held)
        except Exception as error:  # the leases run out by themselves
            _log.warning("leave_failed", error=first_line(error))
        self._held = {}
        await self._reader.close()

    # -- who reads what

    async def _keep_membership(self) -> None:
        epochs = await self._leases.renew()
        lost = [partition for partition, held in self._held.items() if epochs.get(partition) != held.epoch]
        strays = [partition for partition in epochs if partition not in self._held]
        for partition in lost:
            del self._held[partition]
            self._known_partitions = 0  # a row may be gone
        await self._leases.release(strays)
        await self._share()
        if lost or strays:
            await self._assign()
        self._membership_due = self._clock.monotonic() + MEMBERSHIP_SECONDS

    async def _share(self) -> None:
        partitions = [
            Partition(topic, number) for topic in self._topics for number in range(await self._log.partitions(topic))
        ]
        if len(partitions) != self._known_partitions:
            await self._leases.add_missing(partitions)
            self._known_partitions = len(partitions)
        share = await self._leases.fair_share(len(partitions))
        if len(self._held) > share:
            await self._mark_published()
            await self._give_back(list(self._held)[share:])
        elif len(self._held) < share:
            await self._take(share - len(self._held))

    async def _take(self, count: int) -> None:
        claimed = await self._leases.claim(count)
        for held in claimed:
            await self._positions.settle(held, self._reader)
            if self._republish:
                async with self._db.snapshot() as tx:
                    self._unpublished += await self._republish(held.partition, held.published_at, tx)
            self._held[held.partition] = held
        if claimed:
            await self._assign()
            await self._publish()

    async def _give_back(self, partitions: Sequence[Partition]) -> None:
        for partition in partitions:
            del self._held[partition]
        await self._assign()
        self._membership_due = 0.0
        await self._leases.release(partitions)

    async def _assign(self) -> None:
        await self._reader.assign({partition: held.expected for partition, held in self._held.items()})

    # -- one batch

    async def _read_and_commit(self) -> int:
        for partition, held in self._held.items():
            # The fence compares the database with this worker's memory; only this compares the memory with the log.
            if await self._reader.position(partition) != held.expected:
                await self._assign()
                break
        records = await self._reader.read(BATCH_RECORDS, READ_WAIT_SECONDS)
        if records:
            await self._consume(records)
        else:
            await self._mark_published()
        return len(records)

    async def _consume(self, records: Sequence[Record]) -> None:
        items = [read_record(record) for record in records]
        self._refuse_to_empty_the_topic(items)
        await self._apply(items)

    async def _apply(self, items: Sequence[Item]) -> None:
        """Commit the items; where one of them cannot be, halve until it stands alone and set it aside."""
        try:
            async with self._db.transaction() as tx:
                handled = await commit_batch(items, self._held, self._subscriptions, tx)
        except LeaseLost:
            raise
        except Exception as error:
            if is_transient(error) and not (is_statement_timeout(error) and len(items) > 1):
                raise LeaseLost(first_line(error)) from error
            await self._isolate(items, error)
            return
        for partition, record in last_records(items).items():
            self._held[partition].expected = record.offset + 1
        self._unpublished += handled.publish
        self._to_mark = True
        for effect in handled.after_commit:
            effect()
        # Before the next transaction says in the database that everything up to here has left.
        await self._publish()

    async def _isolate(self, items: Sequence[Item], error: Exception) -> None:
        if len(items) > 1:
            half = len(items) // 2
            await self._apply(items[:half])
            await self._apply(items[half:])
            return
        (item,) = items
        if isinstance(item, Letter):
            raise error
        _log.error("record_set_aside", **place(item.record), **failure(error))
        letter = Letter(item.record, "handler_failed", f"{type(error).__name__}: {first_line(error)}", item.event)
        self._count_rejected(letter)
        await self._apply([letter])

    def _refuse_to_empty_the_topic(self, items: Sequence[Item]) -> None:
        letters = [item for item in items if isinstance(item, Letter)]
        if len(items) >= _RATIO_FROM and len(letters) * 10 > len(items):
            raise Halted(_halt_message(letters[0], f"{len(letters)} of {len(items)} records"))
        for item in items:
            if isinstance(item, Letter):
                self._count_rejected(item)
            else:
                self._rejected_in_a_row = 0

    def _count_rejected(self, letter: Letter) -> None:
        self._rejected_in_a_row += 1
        if self._rejected_in_a_row > MAX_REJECTED_IN_A_ROW:
            raise Halted(_halt_message(letter, f"{self._rejected_in_a_row} records in a row"))

    # -- what leaves after the commit

    async def _publish(self) -> None:
        """Raises `LogUnavailable` and keeps what could not be sent for the next pass."""
        if self._unpublished:
            await self._log.append(self._unpublished)
            self._unpublished = []

    async def _mark_published(self) -> None:
        if self._to_mark and not self._unpublished:
            await mark_published(self._db, self._held.values())
            self._to_mark = False


def place(record: Record) -> dict[str, object]:
    return {"topic": record.partition.topic, "partition": record.partition.number, "offset": record.offset}


def _halt_message(letter: Letter, how_many: str) -> str:
    topic, number = letter.record.partition
    return (
        f"stopped: {how_many} of {topic} cannot be processed, the last at partition {number} offset"
        f" {letter.record.offset} ({letter.reason}: {letter.detail}). Mend the sender or the version and restart."
    )
