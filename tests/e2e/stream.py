"""Events as a bad day sends them: a fifth twice, some in conflict, some corrected or taken back, all out of order.

What is drawn keeps every total independent of the order of arrival: copies in conflict differ in their text only, all
revisions of an answer are of the same age, and answers that share a submission are never corrected.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

Event = dict[str, Any]

SOURCE = "/chaos"
DUPLICATES, CONFLICTS, CORRECTIONS = 0.20, 0.05, 0.05  # shares of all events
_ORDERS = 0.15  # share of what happened for the first time
_RECENT_DAYS, _OLD_DAYS, _OLD_SHARE = 20, 60, 0.1  # 30 days is the limit of a follow-up
_CHANNELS = ("email", "sms", "web", "app", None)
_STAGES = ("purchase", "delivery", "support")
_SCORES: dict[str, Callable[[Random], float | None]] = {
    "nps": lambda random: random.randint(0, 10),
    "csat": lambda random: random.randint(2, 10) / 2,
    "ces": lambda random: random.randint(1, 7),
    "rating": lambda random: random.randint(1, 5),
    "recommend": lambda random: random.randint(0, 1),
    "comment": lambda random: None,
}
_WEIGHTS = (40, 20, 12, 15, 8, 5)


def stream(seed: int, count: int, now: datetime) -> list[Event]:
    """`count` events in the order in which they are to be sent."""
    random = Random(seed)
    corrections, conflicts, duplicates = (int(count * share) for share in (CORRECTIONS, CONFLICTS, DUPLICATES))
    drawn = _Drawn(random, now)
    drawn.originals(count - corrections - conflicts - duplicates)
    drawn.corrections(corrections)
    copies = [_in_conflict(random.choice(drawn.answers), number) for number in range(conflicts)]
    copies += [_again(random, random.choice(drawn.events)) for _ in range(duplicates)]
    events = drawn.events + copies
    random.shuffle(events)
    return events


@dataclass
class _Drawn:
    random: Random
    now: datetime
    events: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)  # those of them that hold a text
    _revisions: dict[str, int] = field(default_factory=dict)

    def originals(self, count: int) -> None:
        while len(self.events) < count * _ORDERS:
            self._order(f"o-{len(self.events)}")
        while len(self.events) < count:
            self._answer(f"a-{len(self.events)}", self._time(), submissions=True)

    def corrections(self, count: int) -> None:
        alone = [answer for answer in self.answers if "submission_id" not in answer["data"]]
        for number in range(count):
            if self.random.random() < 0.1:  # of an answer that never comes
                self._correct(f"never-{number}", self._time(), "nps")
            else:
                answer = self.random.choice(alone)
                self._correct(answer["id"], answer["time"], answer["data"]["metric"])

    def _time(self) -> str:
        old = self.random.random() < _OLD_SHARE
        days = self.random.uniform(_OLD_DAYS, _OLD_DAYS + 30) if old else self.random.uniform(1, _RECENT_DAYS)
        return (self.now - timedelta(days=days)).isoformat()

    def _answer(self, name: str, time: str, *, submissions: bool) -> None:
        data = self._data(self.random.choices(list(_SCORES), _WEIGHTS)[0])
        if submissions and self.random.random() < 0.1:
            # Those of one submission are of one age: whichever comes first opens, or none may.
            age = "old" if time < (self.now - timedelta(days=30)).isoformat() else "recent"
            data["submission_id"] = f"s-{age}-{self.random.randrange(200)}"
        self._add("feedback.received.v1", name, time, data)

    def _data(self, metric: str) -> dict[str, Any]:
        data = {
            "metric": metric,
            "score": _SCORES[metric](self.random),
            "text": f"text {self.random.randrange(1000)}",
            "channel": self.random.choice(_CHANNELS),
            "journey_stage": self.random.choice(_STAGES),
            "customer": f"c-{self.random.randrange(5000)}",
        }
        return {name: value for name, value in data.items() if value is not None}

    def _correct(self, name: str, time: str, metric: str) -> None:
        revision = self._revisions[name] = self._revisions.get(name, 0) + 1
        kind = self.random.choice(("feedback.updated.v1", "feedback.received.v1", "feedback.retracted.v1"))
        data = {} if kind == "feedback.retracted.v1" else self._data(metric)
        self._add(kind, f"{name}/{revision}", time, {"feedback_id": name, **data}, revision)

    def _order(self, name: str) -> None:
        placed = self.now - timedelta(days=self.random.uniform(8, _RECENT_DAYS))
        store = self.random.choice(("north", "south"))
        self._add("order.placed.v1", name, placed.isoformat(), {"order_id": name, "store": store})
        for attempt in range(self.random.choice((0, 1, 1, 1, 2))):  # the earliest promise counts
            promised = (placed + timedelta(days=self.random.randint(2, 5))).date().isoformat()
            told = (placed + timedelta(hours=attempt)).isoformat()
            self._add("delivery.promised.v1", f"{name}/{attempt}", told, {"order_id": name, "promised_date": promised})
        completed = (placed + timedelta(days=self.random.uniform(1, 6))).isoformat()
        self._add("delivery.completed.v1", name, completed, {"order_id": name, "completed_at": completed})

    def _add(self, kind: str, name: str, time: str, data: dict[str, Any], revision: int = 0) -> None:
        event = {"specversion": "1.0", "id": name, "source": SOURCE, "type": kind, "time": time, "data": data}
        self.events.append(event | ({"revision": revision} if revision else {}))
        if "text" in data:
            self.answers.append(self.events[-1])


def _in_conflict(event: Event, number: int) -> Event:
    return {**event, "data": {**event["data"], "text": f"another text {number}"}}


def _again(random: Random, event: Event) -> Event:
    """Some senders stamp a retry anew; what is promised by when, is told by the time of the promise."""
    if not event["type"].startswith("feedback.") or random.random() < 0.7:
        return event
    stamped = datetime.fromisoformat(event["time"]) + timedelta(minutes=random.randint(1, 50))
    return {**event, "time": stamped.isoformat()}
