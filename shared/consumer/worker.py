"""The consumer: claims partitions, reads what is there, commits it as one transaction, publishes what came of it.

Every effect happens exactly once: the position moves in the transaction of the effects, behind a fence that a worker
which lost its partition cannot pass. A record that cannot be processed is isolated and set aside; its neighbours count.
"""

from collections.abc import Collection, Iterable, Sequence

import structlog
from prometheus_client import CollectorRegistry

from shared.clock import Clock
from shared.consumer.batches import LeaseLost, commit_batch, last_records
from shared.consumer.leases import Held, Leases
from shared.consumer.messages import HANDLER_FAILED, Item, Letter, Republish, Subscriptions, place
from shared.consumer.positions import Positions, is_another
from shared.consumer.progress import mark_published
from shared.consumer.reading import read_records
from shared.consumer.rejections import Halted, Rejections
from shared.consumer.telemetry import ConsumerTelemetry
from shared.db import Database, first_line, is_statement_timeout, is_transient
from shared.log.port import Log, NewRecord, OffsetOutOfRange, Partition, Reader
from shared.logs import failure
from shared.reasons import reason

_log = structlog.get_logger()

BATCH_RECORDS = 4_000
READ_WAIT_SECONDS, MEMBERSHIP_SECONDS = 0.25, 1.0


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
        telemetry: ConsumerTelemetry | None = None,
        rejections: Rejections | None = None,
    ) -> None:
        self.problem: str | None = None
        self._log = log
        self._db = db
        self._topics = list(topics)
        self._subscriptions = subscriptions
        self._clock = clock
        self._republish = republish
        self._leases = Leases(db, clock)
        self._positions = Positions(log, db)
        self._reader: Reader = log.reader()
        self._held: dict[Partition, Held] = {}
        self._unpublished: list[NewRecord] = []
        self._to_mark = False
        self._membership_due = 0.0
        self._known_partitions, self._reassign = 0, False
        self._rejections = rejections or Rejections()
        self._telemetry = telemetry or ConsumerTelemetry(clock, CollectorRegistry())
        self._telemetry.follow(held=lambda: len(self._held), halted=lambda: self.problem is not None)

    async def run_once(self) -> int:
        """Keep the leases, then read and commit one batch; returns the number of records.

        Raises what may pass by itself (the database or the log is away): the `Loop` tries again after a pause.
        """
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
            await self._mark_published()
            await self._leases.leave(self._held)
        except Exception as error:  # the leases run out by themselves
            _log.warning("leave_failed", reason=reason(error))
        self._held = {}
        await self._reader.close()

    # -- who reads what

    async def _keep_membership(self) -> None:
        await self._db.end_frozen_sessions()  # they may hold rows that everybody needs
        owned = await self._leases.renew()
        # A database that was restored may name this worker and its epoch, and an earlier position.
        lost = [
            partition for partition, held in self._held.items() if owned.get(partition) != (held.epoch, held.expected)
        ]
        if lost:
            self._drop(lost)
            self._known_partitions = 0  # a row may be gone
        self._drop(await self._made_anew())
        if strays := [partition for partition in owned if partition not in self._held]:
            await self._leases.release(strays)
        await self._share()
        self._membership_due = self._clock.monotonic() + MEMBERSHIP_SECONDS

    async def _made_anew(self) -> list[Partition]:
        """Held, of a topic that is another one now: it may be longer already, and its reader none the wiser."""
        topics = {partition.topic for partition in self._held}
        incarnations = {topic: await self._log.incarnation(topic) for topic in topics}
        return [partition for partition, held in self._held.items() if is_another(held, incarnations[partition.topic])]

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
            await self._take(partitions, share - len(self._held))

    async def _take(self, there: Collection[Partition], count: int) -> None:
        claimed = await self._leases.claim(there, count)
        # First: settling may move the positions that say what is owed.
        await self._publish_owed([held for held in claimed if held.owes])
        found = {topic: await self._positions.look(topic) for topic in {held.partition.topic for held in claimed}}
        for held in claimed:
            await self._leases.keep()
            if await self._positions.settle(held, found[held.partition.topic], self._reader):
                self._held[held.partition] = held
                self._reassign = True

    async def _publish_owed(self, owing: Sequence[Held]) -> None:
        """What was committed, and may not have left before a crash."""
        self._to_mark = self._to_mark or bool(owing)
        if self._republish is None or not owing:
            return
        owed: list[NewRecord] = []
        async with self._db.snapshot() as tx:
            for held in owing:
                owed += await self._republish(held.partition, held.published_at, tx)
        if owed:
            await self._log.append(owed)

    async def _give_back(self, partitions: Sequence[Partition]) -> None:
        self._drop(partitions)
        await self._leases.release(partitions)

    def _drop(self, partitions: Sequence[Partition]) -> None:
        """Forget them here; what the database still says is mine goes back with the next look at it."""
        for partition in partitions:
            del self._held[partition]
        self._reassign = self._reassign or bool(partitions)
        self._membership_due = 0.0

    # -- one batch

    async def _read_and_commit(self) -> int:
        # The fence compares the database with this worker's memory; only this compares the memory with the log.
        if self._reassign or await self._reads_elsewhere():
            await self._reader.assign({partition: held.expected for partition, held in self._held.items()})
            self._reassign = False
        await self._leases.keep()
        records = await self._reader.read(BATCH_RECORDS, READ_WAIT_SECONDS)
        if records:
            items = read_records(records)
            self._rejections.begin(len(items))
            with self._telemetry.batch(items):
                await self._apply(items)
        else:
            await self._mark_published()
        return len(records)

    async def _reads_elsewhere(self) -> bool:
        for partition, held in self._held.items():
            if await self._reader.position(partition) != held.expected:
                return True
        return False

    async def _apply(self, items: Sequence[Item], *, last_try: bool = False) -> None:
        """Commit the items; where one of them cannot be, halve until it stands alone and set it aside."""
        rejected = self._rejections.with_more(items)
        await self._leases.keep()
        try:
            async with self._db.transaction() as tx:
                handled = await commit_batch(items, self._held, self._subscriptions, tx)
        except LeaseLost:
            raise
        except Exception as error:
            if is_transient(error) and not is_statement_timeout(error):
                # It may have been committed all the same: only a new claim tells where the database stands.
                self._drop(list(self._held))
                raise
            await self._isolate(items, error, last_try)
            return
        self._rejections.committed(rejected)
        for partition, record in last_records(items).items():
            self._held[partition].expected = record.offset + 1
        self._unpublished += handled.publish
        self._to_mark = True
        self._telemetry.committed(items, handled.outcomes)
        for effect in handled.after_commit:
            effect()
        # Before the next transaction says in the database that everything up to here has left.
        await self._publish()

    async def _isolate(self, items: Sequence[Item], error: Exception, last_try: bool) -> None:
        if len(items) > 1:
            half = len(items) // 2
            await self._apply(items[:half])
            await self._apply(items[half:])
            return
        (item,) = items
        if isinstance(item, Letter):
            raise error
        if not last_try:
            # It may have met another transaction or an operator's cancel; what is wrong with the record stays wrong.
            await self._apply(items, last_try=True)
            return
        _log.error("record_set_aside", reason=HANDLER_FAILED, **place(item.record, item.event), **failure(error))
        await self._apply(
            [Letter(item.record, HANDLER_FAILED, f"{type(error).__name__}: {first_line(error)}", item.event)]
        )

    # -- what leaves after the commit

    async def _publish(self) -> None:
        """Raises `LogUnavailable` and keeps what could not be sent for the next pass."""
        if self._unpublished:
            await self._log.append(self._unpublished)
            self._unpublished = []

    async def _mark_published(self) -> None:
        """Only after `_publish`, which raises where anything is left."""
        if self._to_mark:
            await mark_published(self._db, self._held.values())
            self._to_mark = False
