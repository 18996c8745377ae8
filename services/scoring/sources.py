"""How each source is doing, from one snapshot of the database; sources that nothing came from are known by name."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.scoring.received import SILENT_AFTER, Delivery, Recent, counts, state
from services.scoring.store import received as table
from services.scoring.store.received import Counts, Seen
from shared.clock import Clock, rfc3339
from shared.config import ConfigStore
from shared.db import Database

_ADDED = "source/"
_DAYS = 7
_NOBODY = Recent(0, 0)
# As long as the log keeps a delivery.
KEPT_FOR = timedelta(days=30)


class Window(NamedTuple):
    """Whole days, half-open."""

    first: date
    end: date


class Sources:
    """`zone` is the one whose days are counted; `config` names the sources that were added."""

    def __init__(self, db: Database, config: ConfigStore, clock: Clock, zone: ZoneInfo) -> None:
        self.now = clock.now
        self.zone = zone
        self._db = db
        self._config = config

    def window(self, first: date | None, end: date | None) -> Window:
        """By default seven days, today being the last. ValueError for one without a day."""
        tomorrow = self.now().astimezone(self.zone).date() + timedelta(days=1)
        asked = Window(first or (end or tomorrow) - timedelta(days=_DAYS), end or tomorrow)
        if asked.first >= asked.end:
            raise ValueError("from: must lie before `to`")
        return asked

    async def all(self, window: Window) -> dict[str, Any]:
        """As `GET /v1/sources` answers it, by name."""
        now = self.now()
        async with self._db.snapshot() as tx:
            counted = await table.counts(*window, None, tx)
            seen = await table.seen(tx)
            recent = await table.recent(now - SILENT_AFTER, tx)
        names = sorted({*seen, *self._added()})
        return {
            "window": self._window(window),
            "items": [
                _item(name, _sum(counted, name), seen.get(name), recent.get(name, _NOBODY), now) for name in names
            ],
        }

    async def one(self, name: str, window: Window) -> dict[str, Any] | None:
        """As `GET /v1/sources/{name}` answers it; None for a source that nothing came from and nobody added."""
        now = self.now()
        async with self._db.snapshot() as tx:
            seen = (await table.seen(tx)).get(name)
            if seen is None and name not in self._added():
                return None
            counted = await table.counts(*window, name, tx)
            recent = (await table.recent(now - SILENT_AFTER, tx)).get(name, _NOBODY)
            newest = await table.newest(name, tx)
        return {
            **_item(name, _sum(counted, name), seen, recent, now),
            "window": self._window(window),
            "days": [{"day": day.isoformat(), **counts(counted.get((name, day), {}))} for day in _days(window)],
            "deliveries": [_delivery(one, now) for one in newest],
        }

    def _added(self) -> set[str]:
        return {
            name.removeprefix(_ADDED) for name, value in self._config.items(_ADDED) if not (value or {}).get("deleted")
        }

    def _window(self, window: Window) -> dict[str, str]:
        return {"from": window.first.isoformat(), "to": window.end.isoformat(), "timezone": self.zone.key}


def _sum(counted: Counts, name: str) -> Mapping[tuple[str, str], int]:
    cells: Counter[tuple[str, str]] = Counter()
    for (source, _), of_day in counted.items():
        if source == name:
            cells.update(of_day)
    return cells


def _days(window: Window) -> list[date]:
    return [window.first + timedelta(days=at) for at in range((window.end - window.first).days)]


def _item(
    name: str, cells: Mapping[tuple[str, str], int], seen: Seen | None, recent: Recent, now: datetime
) -> dict[str, Any]:
    return {
        "name": name,
        "state": state(seen and seen.seen_at, recent, now),
        **counts(cells),
        "last_seen": seen and rfc3339(seen.seen_at),
        "last_error": _error(seen),
    }


def _error(seen: Seen | None) -> dict[str, Any] | None:
    if seen is None or seen.error_at is None:
        return None
    return {"at": rfc3339(seen.error_at), "reason": seen.error_reason, "status": seen.error_status}


def _delivery(one: Delivery, now: datetime) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "at": rfc3339(one.received_at),
        "outcome": one.outcome,
        "reason": one.reason or None,
        "status": one.status,
        "size": one.size,
        "version": one.version,
        "events": one.events,
        "partition": one.partition,
        "offset": one.log_offset,
        "kept": one.kept and now - one.received_at < KEPT_FOR,
    }
