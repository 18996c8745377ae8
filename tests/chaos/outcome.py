"""What a run came to: for people as lines, for machines as one JSON object."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chaos.senders import Fact
from tests.e2e.naive_count import SCORED, Totals

CONVERGES_SECONDS = 30.0


@dataclass
class Struck:
    """A fault that was; `sent` is how many events had been answered before it.

    `mending` is seconds that starting what it hit took, `ready` seconds from then until every process was ready.
    """

    name: str
    seconds: float
    sent: int
    mending: float
    ready: float

    def line(self) -> str:
        return (
            f"{self.name} for {self.seconds:.1f} s after {self.sent} events, started in {self.mending:.1f} s,"
            f" all ready {self.ready:.1f} s later"
        )


@dataclass
class Outcome:
    """`converged` is seconds from the end of the last fault until every total was exact, None where it never was."""

    scenario: str
    seed: int
    events: int
    expected: Totals
    found: Totals = field(default_factory=Totals)
    faults: list[Struck] = field(default_factory=list)
    sent_seconds: float = 0.0
    kept: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    converged: float | None = None
    reconciliation: dict[str, Any] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    lost: set[Fact] = field(default_factory=set)  # answered, and not kept
    unsent: set[Fact] = field(default_factory=set)  # kept, and never answered

    @property
    def counted_twice(self) -> int:
        """Answers in any metric, activities and follow-ups beyond those that were sent."""
        beyond = [
            self.found.activity_facts - self.expected.activity_facts,
            self.found.followups - self.expected.followups,
        ]
        beyond += [
            (self.found.metrics[name].histogram - self.expected.metrics[name].histogram).total() for name in SCORED
        ]
        return sum(max(0, surplus) for surplus in beyond)

    @property
    def held(self) -> bool:
        """Every promise, within its time."""
        return (
            self.converged is not None
            and self.converged <= CONVERGES_SECONDS
            and not (self.differences or self.lost or self.unsent or self.counted_twice)
            and bool(self.reconciliation.get("balanced"))
        )

    def lines(self) -> list[str]:
        """The totals are those found; a difference to the expected ones has a line of its own."""
        found = self.found
        values = {name: found.metrics[name] for name in SCORED}
        return [
            f"{self.scenario}, seed {self.seed}, {self.events} events: sent in {self.sent_seconds:.1f} s,"
            f" kept {dict(self.kept)}, sent again after {dict(self.met)}",
            *(f"  {fault.line()}" for fault in self.faults),
            f"  facts           {found.facts} answers and their revisions, {found.activity_facts} activities",
            f"  answers         {found.scored} scored, {found.retracted} retracted",
            *(f"  {name:<15} {one.value} of n = {one.n}, {dict(one.counts)}" for name, one in values.items()),
            f"  deliveries      {dict(found.deliveries)}",
            f"  detractors      {found.detractors} = {found.followups} follow-ups"
            f" + {found.suppressed.total()} suppressed {dict(found.suppressed)}",
            f"  read            {self.reconciliation.get('topics')}",
            f"  lost {len(self.lost)}, counted twice {self.counted_twice}, balanced: "
            f"{self.reconciliation.get('balanced')}, {self._convergence()}",
            *(f"  NOT AS SENT: {line}" for line in self.differences),
            "every total is exact" if self.held else "NOT AS PROMISED",
        ]

    def _convergence(self) -> str:
        if self.converged is None:
            return f"not exact within {CONVERGES_SECONDS:g} s"
        return f"exact {self.converged:.1f} s after the last {'fault' if self.faults else 'answer'}"

    def document(self) -> dict[str, Any]:
        found = self.found
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "events": self.events,
            "held": self.held,
            "lost": len(self.lost),
            "counted_twice": self.counted_twice,
            "balanced": bool(self.reconciliation.get("balanced")),
            "converged_seconds": self.converged,
            "sent_seconds": self.sent_seconds,
            "durability": dict(self.kept),
            "sent_again": dict(self.met),
            "faults": [asdict(fault) for fault in self.faults],
            "totals": {
                "facts": found.facts,
                "activities": found.activity_facts,
                "scored": found.scored,
                "retracted": found.retracted,
                "metrics": {name: {"n": found.metrics[name].n, "value": found.metrics[name].value} for name in SCORED},
                "deliveries": dict(found.deliveries),
                "detractors": found.detractors,
                "followups": found.followups,
                "suppressed": dict(found.suppressed),
            },
            "reconciliation": self.reconciliation,
            "differences": self.differences,
        }
