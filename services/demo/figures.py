"""What the demo has to show for itself: read from the API, handed to the terminal and to `--json`. Pure."""

from datetime import datetime
from typing import Any, NamedTuple

ATTEMPTED = ("attempted", "reached", "resolved", "confirmed", "disputed", "silent")
CLOSED = ("resolved", "confirmed", "disputed", "silent")


class Figures(NamedTuple):
    """`sent` counts distinct events, `new` those that Pętla did not know yet, `repeated` what was sent twice.

    `followups` by state; `forged` notifications had no valid signature, None where they were not received here.
    """

    start: datetime
    sent: int
    new: int
    repeated: int
    durability: str
    nps: dict[str, Any]
    late_delivery: dict[str, Any]
    followups: dict[str, int]
    notified: int
    forged: int | None
    reconciliation: dict[str, Any]

    @property
    def balanced(self) -> bool:
        return bool(self.reconciliation["balanced"] and self.reconciliation["settled"])

    @property
    def opened(self) -> int:
        return sum(self.followups.values())

    @property
    def attempted(self) -> int:
        return sum(self.followups[state] for state in ATTEMPTED)

    @property
    def resolved(self) -> int:
        return sum(self.followups[state] for state in CLOSED)

    @property
    def waiting(self) -> int:
        return self.opened - self.resolved - self.followups["withdrawn"]

    def document(self) -> dict[str, Any]:
        """The JSON of `petla demo --json`."""
        return {
            "sent": self.sent,
            "scored": self.reconciliation["feedback"]["scored"],
            "nps": {name: self.nps[name] for name in ("value", "n", "interval")},
            "followups": {"opened": self.opened, "resolved": self.resolved},
            "notified": self.notified,
            "reconciliation": self.reconciliation,
        }
