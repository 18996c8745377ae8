"""The events of one order, as CloudEvents in the order in which they happen. Pure.

Nothing happens after `latest`: a story that would go on is told faster, and always uses up the same chances, so that
the same seed tells the same story whenever it starts.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Any

Event = dict[str, Any]


class Journey:
    """`name` is the order's id; `source` the CloudEvents source."""

    def __init__(self, name: str, source: str, latest: datetime, random: Random) -> None:
        self.name = name
        self.random = random
        self.events: list[Event] = []
        self._source = source
        self._latest = latest

    def add(self, kind: str, name: str, at: datetime, data: Event, revision: int = 0) -> None:
        """`name` is the sender's id of what happened; fields that are None are left out."""
        event: Event = {
            "specversion": "1.0",
            "id": f"{name}-{revision}" if revision else name,
            "source": self._source,
            "type": kind,
            "time": at.isoformat(timespec="seconds"),
            "data": {field: value for field, value in data.items() if value is not None},
        }
        self.events.append({**event, "revision": revision} if revision else event)

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def after(self, moment: datetime, from_hours: float, to_hours: float) -> datetime:
        """Some time later, by chance between the two."""
        share = self.random.random()
        later = moment + timedelta(hours=from_hours + share * (to_hours - from_hours))
        return later if later <= self._latest else moment + (self._latest - moment) * share
