"""Which follow-ups are open, and what of them may be shown to anybody on this machine. Pure.

The deadline that is known here is that of the first attempt: it runs until somebody has tried.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

OPEN = ("new", "assigned", "attempted", "reached")
UNATTEMPTED = ("new", "assigned")


class OpenFollowup(NamedTuple):
    """No name, no contact, no text. Scores are integer tenths; None is what has not been told yet.

    `waiting`: nobody has tried since it was opened or reopened, so that the deadline runs.
    """

    id: UUID
    state: str
    metric: str | None
    score: int | None
    scale_max: int | None
    priority: str | None
    first_attempt_due: datetime | None
    first_attempt_at: datetime | None
    waiting: bool


class OpenFollowups(NamedTuple):
    """The first ones by deadline, and `total` of all; `due` counts the deadlines that run, by the edges asked for.

    It has one number more than there are edges: before the first, between each two, from the last on.
    """

    first: Sequence[OpenFollowup]
    total: int
    due: Sequence[int]
