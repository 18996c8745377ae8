"""What became of a delivery to a source, in one word, and how a source is doing. Pure.

Every delivery is counted once: accepted, duplicate, conflict, ignored or rejected. What the facts say decides between
the first three: a delivery that brought nothing but what was known is a duplicate; one that says otherwise of a
revision that is known is a conflict, also when it brought something new.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from shared.events.raw import WebhookReceived

Outcome = Literal["accepted", "duplicate", "conflict", "ignored", "rejected"]
State = Literal["waiting", "receiving", "silent", "failing"]
INCOMPLETE = "incomplete"  # accepted or absorbed, with an item that made no event: counted beside the outcomes
SILENT_AFTER = timedelta(hours=24)
_FAILING_SHARE = 0.05
_NO_REASON = "unknown"


class Judged(NamedTuple):
    """`reason` is empty where all went well; of an incomplete delivery it is what was at fault."""

    outcome: Outcome
    reason: str
    incomplete: bool = False

    @property
    def at_fault(self) -> bool:
        return self.outcome == "rejected" or self.incomplete


class Delivery(NamedTuple):
    """In the order of the table's columns; `kept`: its body is on the log, so that it can be tried again."""

    id: UUID
    source: str
    received_at: datetime
    outcome: str
    reason: str
    at_fault: bool
    status: int
    size: int
    version: int
    events: int
    kept: bool
    partition: int
    log_offset: int


def judged(told: WebhookReceived, fresh: bool, conflicting: bool) -> Judged:
    """`fresh`: one of its events was not known; `conflicting`: one is known with other content."""
    if told.outcome == "rejected":
        return Judged("rejected", told.reason or _NO_REASON)
    if told.outcome != "accepted":
        return Judged("ignored", told.reason or told.outcome)
    outcome: Outcome = "conflict" if conflicting else "accepted" if fresh else "duplicate"
    return Judged(outcome, (told.reason or _NO_REASON) if told.errors else "", bool(told.errors))


class Recent(NamedTuple):
    """Of the newest deliveries, those within `SILENT_AFTER`: how many, and how many of them were at fault."""

    deliveries: int
    at_fault: int


def state(seen_at: datetime | None, recent: Recent, now: datetime) -> State:
    """A single stranger who sends rubbish does not make a busy source a failing one."""
    if seen_at is None:
        return "waiting"
    if now - seen_at >= SILENT_AFTER:
        return "silent"
    failing = recent.at_fault and recent.at_fault >= _FAILING_SHARE * recent.deliveries
    return "failing" if failing else "receiving"


def counts(cells: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """From `(outcome, reason)`: received = accepted + duplicates + conflicts + Σ ignored + Σ rejected."""
    by_reason = {name: _of(cells, name) for name in ("ignored", "rejected", INCOMPLETE)}
    single = {name: sum(_of(cells, name).values()) for name in ("accepted", "duplicate", "conflict")}
    return {
        "received": sum(single.values()) + sum(by_reason["ignored"].values()) + sum(by_reason["rejected"].values()),
        "accepted": single["accepted"],
        "duplicates": single["duplicate"],
        "conflicts": single["conflict"],
        **by_reason,
    }


def _of(cells: Mapping[tuple[str, str], int], outcome: str) -> dict[str, int]:
    return {reason: n for (named, reason), n in sorted(cells.items()) if named == outcome}
