"""Deadlines that passed: each is reported once for every time the follow-up was opened, the earliest first."""

from collections.abc import Callable

from services.alerts.changes import changed
from services.alerts.records import PETLA
from services.alerts.store import followups, journal
from shared.db import Database

BATCH = 500


class OverdueWatch:
    """`notify`: somebody outside is told; `wake` is called when events are waiting to be sent."""

    def __init__(self, db: Database, notify: bool, wake: Callable[[], None]) -> None:
        self._db = db
        self._notify = notify
        self._wake = wake

    async def run_once(self) -> int:
        """Report one batch; the number of follow-ups. Rows somebody works on are left to the next pass."""
        async with self._db.transaction() as tx:
            late = await followups.lock_overdue(BATCH, tx)
            now = await followups.clock(tx)
            for followup in late:
                followup.overdue_at = now
            await journal.move([changed(followup, "overdue", now, PETLA) for followup in late], self._notify, tx)
        if late:
            self._wake()
        return len(late)
