"""Senders that never give up, fed at a pace, so that events flow while things fail."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from random import Random

from tests.e2e.client import Client
from tests.e2e.stream import Event

Request = list[Event]
Fact = tuple[str, int]

SENDERS = 4
_SIZES = (1, 1, 1, 2, 5, 20)


def requests(random: Random, events: list[Event]) -> list[Request]:
    """The same events, alone and in batches."""
    made, at = [], 0
    while at < len(events):
        size = random.choice(_SIZES)
        made.append(events[at : at + size])
        at += size
    return made


class Load:
    """What was answered is in `facts` (id and revision); `kept` says how, `met` what made a sender send again."""

    def __init__(self, doors: Sequence[str], key: str) -> None:
        self.facts: set[Fact] = set()
        self.kept: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self._doors, self._key = list(doors), key
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._answered: list[int] = []  # appended by every sender, which is atomic
        self._pool = ThreadPoolExecutor(SENDERS + 1)
        self._senders: list[Future[Client]] = [
            self._pool.submit(self._send, number % len(self._doors)) for number in range(SENDERS)
        ]

    @property
    def answered(self) -> int:
        return sum(self._answered)

    def release(self, part: Sequence[Request], seconds: float) -> "Future[None]":
        """Hands the requests to the senders, evenly over so many seconds."""
        return self._pool.submit(self._pace, part, seconds)

    def finish(self) -> None:
        """Returns when everything was answered; raises what a sender died of."""
        for _ in self._senders:
            self._queue.put(None)
        for sender in self._senders:
            client = sender.result()
            self.kept += client.kept
            self.met += client.met
        self._pool.shutdown()

    def abandon(self) -> None:
        """For a run that has failed: nobody waits for what is left."""
        while not self._queue.empty():
            self._queue.get()
        for _ in self._senders:
            self._queue.put(None)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _pace(self, part: Sequence[Request], seconds: float) -> None:
        begun = time.monotonic()
        for number, request in enumerate(part):
            early = begun + seconds * number / len(part) - time.monotonic()
            if early > 0:
                time.sleep(early)
            self._queue.put(request)

    def _send(self, first: int) -> Client:
        doors = self._doors[first:] + self._doors[:first]
        with Client(doors[0], self._key, *doors[1:]) as client:
            while (request := self._queue.get()) is not None:
                ids = client.send(request)
                self.facts.update((id_, event.get("revision", 0)) for id_, event in zip(ids, request, strict=True))
                self._answered.append(len(request))
            return client
