"""One run: events flow, faults strike one after the other, and at the end every total must be that of a naive count."""

import asyncio
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import httpx

from tests.chaos.faults import Fault
from tests.chaos.fleet import Fleet
from tests.chaos.outcome import CONVERGES_SECONDS, Outcome, Struck
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.senders import Fact, Load, Request, requests
from tests.e2e.client import Client, usable_key
from tests.e2e.naive_count import count
from tests.e2e.observed import differences, observe
from tests.e2e.processes import Installation, Server
from tests.e2e.stream import stream

# Events flow so long before a fault and after its end, at the least.
_BEFORE, _AFTER = 1.0, 2.0
# A record that a frozen broker took may come so long after all is well, and must change nothing.
_STILL_SO_AFTER = 3.0
_LOOK_EVERY = 0.25
_REST = 0.02  # share of the requests


def command(scenario: str, seed: int, events: int) -> str:
    return f"python -m tests.chaos {scenario} --seed {seed} --events {events}"


def run(name: str, seed: int, events: int, logs: Path | None = None) -> Outcome:
    """Whatever was started ends with it. What the processes logged is copied to `logs`, or said where it failed.

    `KafkaMissing` where there can be no broker.
    """
    # Of one day, so that the same seed means the same events, and the same digits, all day long.
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    scenario, random = SCENARIOS[name], Random(seed)
    sent = stream(seed, events, now)
    outcome = Outcome(name, seed, events, count(sent, now))
    with scenario.place() as site, ExitStack() as stack:
        stack.push(lambda kind, *_: print(site.installation.complaints(), file=sys.stderr) if kind else None)
        stack.callback(_save, site.installation, logs)
        fleet = Fleet(site.installation, scenario.each)
        fleet.wait_ready()
        key = usable_key(site.installation, *fleet.urls("ingest"))
        load = Load(fleet.urls("ingest"), key)
        stack.push(lambda kind, *_: load.abandon() if kind else None)
        planned = scenario.plan(site, fleet, random)
        healed = _send_under_fire(load, fleet, planned, requests(random, sent), outcome)
        services = [stack.enter_context(Client(fleet.urls(service)[0], key)) for service in ("scoring", "alerts")]
        _converge(outcome, fleet, services, now, healed)
        kept = asyncio.run(_kept(site.scoring))
        outcome.lost, outcome.unsent = load.facts - kept, kept - load.facts
        if not outcome.held:
            print(site.installation.complaints(), file=sys.stderr)
    return outcome


def _save(installation: Installation, logs: Path | None) -> None:
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
        for log in installation.data.parent.glob("*.stderr"):
            shutil.copy(log, logs)


def _send_under_fire(
    load: Load, fleet: Fleet, planned: Sequence[Fault], all_requests: Sequence[Request], outcome: Outcome
) -> float:
    """When the last fault ended; without faults, when everything was answered."""
    *shares, rest = parts(all_requests, len(planned))
    begun = time.monotonic()
    healed = None
    for fault, part in zip(planned, shares, strict=True):
        releasing = load.release(part, _BEFORE + fault.seconds + _AFTER)
        time.sleep(_BEFORE)
        fault.strike()
        sent = load.answered
        time.sleep(fault.seconds)
        over = time.monotonic()
        fault.heal()
        healed = time.monotonic()
        fleet.wait_ready()
        ready = time.monotonic() - healed
        outcome.faults.append(Struck(fault.name, fault.seconds, sent, healed - over, ready))
        releasing.result()
    load.release(rest, 0).result()
    load.finish()
    outcome.kept, outcome.met, outcome.sent_seconds = load.kept, load.met, time.monotonic() - begun
    return healed or time.monotonic()


def parts(all_requests: Sequence[Request], faults: int) -> list[Sequence[Request]]:
    """One a fault, and a rest that is sent as fast as it goes when all is well again."""
    last = int(len(all_requests) * (1 - _REST)) if faults else 0
    ends = [last * number // faults for number in range(1, faults + 1)]
    return [all_requests[begin:end] for begin, end in zip([0, *ends], [*ends, None], strict=True)]


def _converge(outcome: Outcome, fleet: Fleet, services: Sequence[Client], now: datetime, since: float) -> None:
    """Exact totals within their time, and still the same a little later."""
    while not (exact := _is_exact(outcome, fleet, services, now)) and time.monotonic() < since + CONVERGES_SECONDS:
        time.sleep(_LOOK_EVERY)
    if exact:
        outcome.converged = time.monotonic() - since
        time.sleep(_STILL_SO_AFTER)
        _is_exact(outcome, fleet, services, now)


def _is_exact(outcome: Outcome, fleet: Fleet, services: Sequence[Client], now: datetime) -> bool:
    scoring, alerts = services
    spilled = sum(_spilled(server) for server in fleet.servers["ingest"])
    outcome.reconciliation = scoring.get("/v1/reconciliation")
    outcome.found = observe(scoring, alerts, now)
    outcome.differences = differences(outcome.expected, outcome.found)
    if spilled:
        outcome.differences.append(f"{spilled} events wait on ingest's disk")
    if not (outcome.reconciliation["settled"] and outcome.reconciliation["balanced"]):
        outcome.differences.append("the reconciliation is not settled and balanced")
    return not outcome.differences


def _spilled(server: Server) -> int:
    answer: dict[str, Any] = httpx.get(f"{server.url}/readyz", timeout=10, trust_env=False).json()
    return int(answer["spilled"])


async def _kept(database: str) -> set[Fact]:
    """Every revision of every fact that scoring holds."""
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch("SELECT id, revision FROM feedback UNION ALL SELECT id, revision FROM activity")
    finally:
        await connection.close()
    return {(str(row["id"]), row["revision"]) for row in rows}
