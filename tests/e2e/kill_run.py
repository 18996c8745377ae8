"""Thousands of events through three processes that are killed again and again; then every total must be exact.

    python -m tests.e2e.kill_run --seed N --events 20000

The seed decides events, sizes of requests and the order of the kills; what a kill hits is up to the machine.
"""

import argparse
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from random import Random
from typing import Any

from tests.e2e.client import Client
from tests.e2e.naive_count import Totals, count
from tests.e2e.observed import differences, observe
from tests.e2e.processes import Installation, Server, temporary_installation, until
from tests.e2e.stream import Event, stream

SERVICES = ("ingest", "scoring", "alerts")
KILLS_EACH = 3
CONVERGES_SECONDS = 30.0
_SENDERS = 3
_SIZES = (1, 1, 1, 2, 5, 20)

Request = list[Event]


@dataclass
class Kill:
    service: str
    sent: int  # events that had been answered
    recovered: float = 0.0  # seconds from the start after it to readiness


@dataclass
class Outcome:
    seed: int
    expected: Totals
    kills: list[Kill] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    sent_seconds: float = 0.0
    converged_seconds: float = 0.0  # from the last start
    reconciliation: dict[str, Any] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [
            f"seed {self.seed}: {self.expected.facts} answers and their revisions, {self.expected.scored} scored,"
            f" {self.expected.retracted} retracted, {self.expected.detractors} detractors,"
            f" {self.expected.followups} follow-ups, suppressed {dict(self.expected.suppressed)}",
            *(
                f"killed {k.service} after {k.sent} events, ready {k.recovered:.1f} s after its start"
                for k in self.kills
            ),
            f"sent in {self.sent_seconds:.1f} s; made to send again by {dict(self.met)}",
            f"settled {self.converged_seconds:.1f} s after the last start: {self.reconciliation['topics']}",
            *(self.differences or ["every total is exact"]),
        ]


class Run:
    """Senders take requests from a queue that is filled a part at a time, so that every kill falls into the load."""

    def __init__(self, installation: Installation, key: str) -> None:
        self.servers: dict[str, Server] = {}
        self._installation = installation
        self.key = key
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._answered: list[int] = []  # appended by every sender, which is atomic

    @property
    def answered(self) -> int:
        return sum(self._answered)

    def start(self) -> None:
        for name in SERVICES:
            self.servers[name] = self._installation.start(name)
        self.wait_ready()

    def wait_ready(self) -> None:
        for server in self.servers.values():
            server.wait_ready()

    def kill(self, name: str) -> None:
        """And start it again on the same port."""
        self.servers[name].kill()
        self.servers[name] = self._installation.start(name, self.servers[name].port)

    def offer(self, requests: list[Request]) -> None:
        for request in requests:
            self._queue.put(request)

    def wait_until_left(self, requests: int, senders: "list[Future[Counter[str]]]") -> None:
        def few() -> bool:
            for sender in senders:
                if sender.done():
                    sender.result()
            return self._queue.qsize() <= requests

        until(few, 60, f"{requests} requests left")

    def send(self) -> Counter[str]:
        """One sender, until the queue says that there is no more; what made it send again."""
        with Client(self.servers["ingest"].url, self.key) as client:
            while (request := self._queue.get()) is not None:
                client.send(request)
                self._answered.append(len(request))
            return client.met

    def end(self) -> None:
        for _ in range(_SENDERS):
            self._queue.put(None)


def kill_run(seed: int, events: int) -> Outcome:
    """Says its seed first: what fails can be run again."""
    print(f"python -m tests.e2e.kill_run --seed {seed} --events {events}", flush=True)
    now = datetime.now(UTC)
    sent = stream(seed, events, now)
    outcome = Outcome(seed, count(sent, now))
    with temporary_installation() as installation, ExitStack() as stack:
        run = Run(installation, installation.create_key()["key"])
        stack.push(lambda kind, *_: print(installation.complaints()) if kind else None)
        run.start()
        last_start = _send_under_fire(run, _requests(Random(seed), sent), Random(seed), outcome)
        scoring, alerts = (
            stack.enter_context(Client(run.servers[name].url, run.key)) for name in ("scoring", "alerts")
        )
        outcome.reconciliation = scoring.settled(max(1.0, CONVERGES_SECONDS - (time.monotonic() - last_start)))
        outcome.converged_seconds = time.monotonic() - last_start
        outcome.differences = differences(outcome.expected, observe(scoring, alerts, now))
    return outcome


def _requests(random: Random, events: list[Event]) -> list[Request]:
    requests, at = [], 0
    while at < len(events):
        size = random.choice(_SIZES)
        requests.append(events[at : at + size])
        at += size
    return requests


def _send_under_fire(run: Run, requests: list[Request], random: Random, outcome: Outcome) -> float:
    """When the process that was killed last was started again."""
    victims = [name for name in SERVICES for _ in range(KILLS_EACH)]
    random.shuffle(victims)
    part = -(-len(requests) // (2 * len(victims) + 1))
    parts = iter([requests[at : at + part] for at in range(0, len(requests), part)])
    begun = time.monotonic()
    with ThreadPoolExecutor(_SENDERS) as pool:
        senders = [pool.submit(run.send) for _ in range(_SENDERS)]
        try:
            for victim in victims:
                run.offer(next(parts))
                run.wait_until_left(part // 2, senders)
                run.kill(victim)
                last_start = time.monotonic()
                outcome.kills.append(Kill(victim, run.answered))
                run.offer(next(parts))
                run.wait_ready()
                outcome.kills[-1].recovered = time.monotonic() - last_start
            for rest in parts:
                run.offer(rest)
        finally:
            run.end()
    outcome.met = sum((sender.result() for sender in senders), Counter())
    outcome.sent_seconds = time.monotonic() - begun
    return last_start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=20_000)
    asked = parser.parse_args()
    outcome = kill_run(asked.seed, asked.events)
    print("\n".join(outcome.lines()))
    return 1 if outcome.differences or not outcome.reconciliation["balanced"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
