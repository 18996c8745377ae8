"""The log that ingest uses with Kafka: while the broker is silent, events are kept on this node's disk and sent later.

A returned append is on the broker, or flushed here (`local`). What was spilled is forwarded oldest first; a crash
between the broker's answer and the deletion sends it twice, which the facts' unique key absorbs.
"""

from collections.abc import Sequence
from pathlib import Path

import structlog

from shared.clock import Clock
from shared.log.port import (
    Bounds,
    Durability,
    Log,
    LogUnavailable,
    NewRecord,
    Overloaded,
    Reader,
    RecordsRefused,
)
from shared.log.spill_file import ChangeOne, SpillDamaged, SpillFile

MAX_SPILLED_BYTES = 1024 * 1024 * 1024
# An emptied file that grew larger is replaced by a new one: only so does the disk get its room back.
_KEPT_BYTES = 8 * 1024 * 1024
_FORWARD_RECORDS = 500
_FORWARD_BYTES = 1024 * 1024
_TAKE_OVER_SECONDS = 10.0

_log = structlog.get_logger(__name__)


class SpillingLog:
    """`primary` is the broker's log, which gives up by itself when the broker is silent.

    `forward_once` is a pass of the loop that empties the spill. That loop, not a request, finds out when the broker is
    back; only where nothing can be spilled either, one request at a time tries.
    """

    def __init__(self, primary: Log, folder: Path, clock: Clock, max_bytes: int = MAX_SPILLED_BYTES) -> None:
        self._primary = primary
        self._folder = folder
        self._clock = clock
        self._max_bytes = max_bytes
        self._own = SpillFile.create(folder, clock.now())
        self._refused_file: SpillFile | None = None
        self._orphans: list[SpillFile] = []
        self._take_over_due = 0.0
        self._away: str | None = None
        self._probing = False
        self._slice = _FORWARD_RECORDS
        self.refused = 0

    @property
    def problem(self) -> str | None:
        """A silent broker is none: events are kept."""
        if self._away is None:
            return None
        return self._full() or self._own.problem

    @property
    def spilled(self) -> int:
        """Records that wait here for the broker."""
        return sum(file.waiting for file in self._files())

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        """While the broker is away nobody waits for it."""
        if self._away is not None:
            return await self._append_without(records)
        try:
            durability = await self._primary.append(records)
        except (RecordsRefused, LogUnavailable) as error:
            return await self._go_on_without(records, error)
        self._note_back()
        return durability

    async def _go_on_without(self, records: Sequence[NewRecord], error: RecordsRefused | LogUnavailable) -> Durability:
        try:
            return await self._noted(error)
        except Overloaded:
            raise
        except LogUnavailable:
            return await self._spill(records)

    async def _append_without(self, records: Sequence[NewRecord]) -> Durability:
        try:
            return await self._spill(records)
        except LogUnavailable as no_room:
            if self._probing:
                raise
            return await self._probe(records, no_room)

    async def _probe(self, records: Sequence[NewRecord], no_room: LogUnavailable) -> Durability:
        self._probing = True
        try:
            return await self._send(records)
        except LogUnavailable as error:
            raise no_room from error
        finally:
            self._probing = False

    async def _send(self, records: Sequence[NewRecord]) -> Durability:
        try:
            durability = await self._primary.append(records)
        except (RecordsRefused, LogUnavailable) as error:
            return await self._noted(error)
        self._note_back()
        return durability

    async def _noted(self, error: RecordsRefused | LogUnavailable) -> Durability:
        """What was refused for good is kept here; all else is raised again."""
        if isinstance(error, RecordsRefused):
            await self._keep_refused(error)
            self._note_back()
            return "local"
        if not isinstance(error, Overloaded):
            self._note_away(str(error))
        raise error

    async def _spill(self, records: Sequence[NewRecord]) -> Durability:
        if full := self._full():
            raise LogUnavailable(full)
        await self._own.append(records)
        return "local"

    def _full(self) -> str | None:
        if sum(file.used_bytes for file in self._files()) > self._max_bytes:
            return "the spill holds as much as it may, and Kafka is away: bring it back"
        return None

    def _files(self) -> list[SpillFile]:
        return [*self._orphans, self._own]

    def _note_away(self, reason: str) -> None:
        if self._away is None:
            _log.warning("broker_away", reason=reason)
        self._away = reason

    def _note_back(self) -> None:
        if self._away is not None:
            _log.info("broker_back", spilled=self.spilled)
        self._away = None

    async def _keep_refused(self, refusal: RecordsRefused) -> None:
        """On the disk, where they stand in nobody's way. Moved one folder up, they are sent again."""
        if self._refused_file is None:
            self._refused_file = SpillFile.create(self._folder / "refused", self._clock.now())
        await self._refused_file.append(refusal.records)
        self.refused += len(refusal.records)
        _log.error("records_refused", count=len(refusal.records), reason=refusal.reason)

    async def forward_once(self) -> int:
        """Send the oldest spilled records; how many went, 0 while the broker is away."""
        if self._clock.monotonic() >= self._take_over_due:
            self._take_over_due = self._clock.monotonic() + _TAKE_OVER_SECONDS
            self._orphans += SpillFile.take_over(self._folder)
        sent = 0
        try:
            for file in self._files():
                sent += await self._forward(file)
        except LogUnavailable:
            # A slice may be too much for a slow line to carry in time.
            self._slice = max(1, self._slice // 2)
            return sent
        self._slice = min(_FORWARD_RECORDS, self._slice * 2)
        await self._close_emptied()
        return sent

    async def _forward(self, file: SpillFile) -> int:
        try:
            records = await file.oldest(self._slice, _FORWARD_BYTES)
        except SpillDamaged as error:
            return await self._rescue(file, error)
        except LogUnavailable as error:  # this disk, not the broker: the other files go on
            _log.warning("spill_not_read", error=str(error))
            return 0
        if records:
            await self._send(records)
            await file.forget(len(records))
        return len(records)

    async def _rescue(self, file: SpillFile, error: SpillDamaged) -> int:
        """Send what can still be read of a damaged file, then put the file away."""
        if file is self._own:
            self._replace_own()
        sent, looked_at = 0, 0
        while (records := await file.readable(looked_at, self._slice)) is not None:
            looked_at += self._slice
            if records:
                await self._send(records)
                sent += len(records)
        self._orphans.remove(file)
        await file.set_aside()
        _log.error("spill_damaged", file=file.path.name, error=str(error), forwarded=sent)
        return sent

    async def rewrite(self, change: ChangeOne) -> int:
        """What waits, and what the broker refused, says what `change` makes of it; the number of those changed."""
        refused = SpillFile.take_over(self._folder / "refused")
        kept = [*self._files(), *([self._refused_file] if self._refused_file else []), *refused]
        try:
            return sum([await file.rewrite(change) for file in kept])
        finally:
            for file in refused:
                await file.close()

    async def _close_emptied(self) -> None:
        for file in [file for file in self._orphans if not file.waiting]:
            self._orphans.remove(file)
            await file.close()
        if not self._own.waiting and self._own.size > _KEPT_BYTES:
            self._replace_own()

    def _replace_own(self) -> None:
        """What is on its way into the old one is found there: it is emptied like those of processes that are gone."""
        new = SpillFile.create(self._folder, self._clock.now())
        self._orphans.append(self._own)
        self._own = new

    async def partitions(self, topic: str) -> int:
        return await self._primary.partitions(topic)

    async def bounds(self, topic: str) -> dict[int, Bounds]:
        return await self._primary.bounds(topic)

    async def incarnation(self, topic: str) -> str:
        return await self._primary.incarnation(topic)

    def reader(self) -> Reader:
        return self._primary.reader()

    async def close(self) -> None:
        """What is spilled stays for the next process; `primary` is closed by whoever made it."""
        for file in (*self._files(), *([self._refused_file] if self._refused_file else [])):
            await file.close()
