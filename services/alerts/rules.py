"""Which feedback gets a follow-up, why another does not, and how urgent it is. Pure.

Rules are ordered and the first match opens; today there is one: every detractor is called back.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from shared.events.followups import Priority, SuppressionReason

RULE = "detractor@1"
DETRACTOR = "detractor"

_SEVERE = 0.3
_VALUABLE_ORDERS = 100_000
_UNDIRECTED = ("nps", "recommend")


class Rule(NamedTuple):
    """A rule as it is shown to people."""

    id: str
    name: str
    opens_for: str
    suppresses: tuple[SuppressionReason, ...]


RULES = (
    Rule(
        RULE,
        "Call back every detractor",
        "nps 0–6, recommend no, and csat, rating and ces in the lowest 40 % of their scale",
        ("too_old", "no_contact_consent", "same_submission"),
    ),
)


def reason_not_to_contact(
    answered_at: datetime, received_at: datetime, max_age_days: float, consents: bool
) -> SuppressionReason | None:
    """Why nobody shall be called about this answer, whatever else there is of its submission."""
    if max_age_days and received_at - answered_at > timedelta(days=max_age_days):
        return "too_old"
    return None if consents else "no_contact_consent"


def priority(
    metric: str | None,
    score: float | None,
    scale: tuple[float | None, float | None],
    customer: str | None,
    order_value: int,
) -> Priority:
    """`low` when nobody is known to call; `high` in the lowest 30 % of the scale, else `normal`.

    `order_value`: minor units of the customer's orders that were not cancelled, in the currency in which they ordered
    most. From 100,000 (1,000 PLN) on it lifts the priority one step.
    """
    if customer is None:
        return "low"
    severe = _is_severe(metric, score, scale)
    if order_value >= _VALUABLE_ORDERS:
        return "urgent" if severe else "high"
    return "high" if severe else "normal"


def _is_severe(metric: str | None, score: float | None, scale: tuple[float | None, float | None]) -> bool:
    low, high = scale
    if score is None or low is None or high is None or high <= low:
        return False
    share = (score - low) / (high - low)
    if metric not in _UNDIRECTED:
        # A detractor of these lies within 0.4 of the bad end, so the nearer end is the bad one, whatever the direction.
        share = min(share, 1 - share)
    return round(share, 9) <= _SEVERE
