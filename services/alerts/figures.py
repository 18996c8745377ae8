"""What is still to be done, read when somebody scrapes: open follow-ups, late notifications, events owed to the log."""

import math

from prometheus_client import CollectorRegistry, Gauge

from services.alerts.states import OPEN
from services.alerts.store import figures
from shared.db import Database


class ToDoFigures:
    max_age_seconds = 15.0  # counting follow-ups looks at every one of them

    def __init__(self, db: Database, registry: CollectorRegistry) -> None:
        self._db = db
        self._open = Gauge("petla_alerts_followups_open", "Follow-ups not closed yet", ["state"], registry=registry)
        self._oldest_due = Gauge(
            "petla_alerts_notification_oldest_due_seconds",
            "How long the oldest notification that is due has been waiting; 0 when none is",
            registry=registry,
        )
        self._backlog = Gauge(
            "petla_alerts_relay_backlog_events", "Events that are not on the log yet", registry=registry
        )

    async def look(self) -> None:
        async with self._db.snapshot() as tx:
            found = await figures.to_do(OPEN, tx)
        for state, count in found.followups.items():
            self._open.labels(state).set(count)
        self._oldest_due.set(found.oldest_due_seconds)
        self._backlog.set(found.unpublished)

    def forget(self) -> None:
        self._open.clear()
        self._oldest_due.set(math.nan)
        self._backlog.set(math.nan)
