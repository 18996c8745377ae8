"""Sends what the outboxes owe to the log, after the commit; nothing else of alerts appends to it.

At least once: an event that was appended and not marked, because the process died in between, is sent again, and
readers drop it by its id.
"""

from uuid import uuid4

from services.alerts import records
from services.alerts.records import Positions
from services.alerts.store import outbox
from services.alerts.store.outbox import Outbox, Owed
from shared.clock import Clock
from shared.db import Database
from shared.events.envelope import object_key
from shared.log.port import Log, NewRecord

BATCH = 500
POSITIONS_EVERY_SECONDS = 1.0


class Relay:
    def __init__(self, log: Log, db: Database, topic: str, clock: Clock) -> None:
        self._log = log
        self._db = db
        self._topic = topic
        self._clock = clock
        self._told: Positions = {}
        self._tell_from = 0.0

    async def run_once(self) -> int:
        """Send a batch of each outbox, or where alerts stands when nothing is owed; returns the number of events."""
        token = uuid4()
        claimed = await outbox.claim(token, BATCH, self._db)
        if not claimed:
            await self._tell_positions()
            return 0
        await self._log.append([self._record(box, one) for box, owed in claimed.items() for one in owed])
        for box, owed in claimed.items():
            await outbox.mark_published(box, owed, token, self._db)
        return sum(map(len, claimed.values()))

    async def catch_up(self) -> int:
        """A pass of the loop: 0 unless more is owed, for what comes next wakes it. To look again would cost as much."""
        sent = await self.run_once()
        if sent >= BATCH:
            return sent
        if sent:
            await self._tell_positions()
        return 0

    def _record(self, box: Outbox, one: Owed) -> NewRecord:
        return NewRecord(self._topic, object_key(box.about, str(one.id)), one.value)

    async def _tell_positions(self) -> None:
        """At most once a second, and only when something was read since."""
        if self._clock.monotonic() < self._tell_from:
            return
        found = await outbox.positions(self._db)
        if found is None or found[0] == self._told:
            return
        next_offsets, at = found
        key = object_key("alerts", "position")
        await self._log.append([NewRecord(self._topic, key, records.positions(next_offsets, at))])
        self._told = next_offsets
        self._tell_from = self._clock.monotonic() + POSITIONS_EVERY_SECONDS
