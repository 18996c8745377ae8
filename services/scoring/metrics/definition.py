"""What makes a metric: its id, formula, unit, and what it is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.scoring.metrics.cells import Cells
from services.scoring.metrics.outcomes import Durations, Outcomes

Unit = Literal["points", "percent", "score", "hours"]
Kind = Literal["net_promoter", "share", "mean", "median"]
Sample = Cells | Outcomes | Durations


@dataclass(frozen=True)
class Definition:
    """`formula` is the id with its version: a change of the numbers is a new version.

    `reads` is the feedback metric whose answers are counted, None for facts that are not answers.
    `names` are always listed in the counts, even at 0; `success` is the one whose share is taken (else empty).
    """

    id: str
    formula: str
    unit: Unit
    kind: Kind
    reads: str | None = None
    names: tuple[str, ...] = ()
    success: str = ""
