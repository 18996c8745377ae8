"""Why somebody is not called, and how urgent it is for the others."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.rules import priority, reason_not_to_contact

ANSWERED = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "max_days", "consents", "reason"),
    [
        (30, 30, True, None),
        (30.001, 30, True, "too_old"),
        (30.001, 30, False, "too_old"),
        (10_000, 0, True, None),
        (-1, 30, True, None),
        (0, 30, False, "no_contact_consent"),
        (0, 0, False, "no_contact_consent"),
    ],
)
def test_reasons_in_their_order(days: float, max_days: float, consents: bool, reason: str | None) -> None:
    received = ANSWERED + timedelta(days=days)
    assert reason_not_to_contact(ANSWERED, received, max_days, consents) == reason


@pytest.mark.parametrize(
    ("metric", "score", "scale", "customer", "order_value", "expected"),
    [
        ("nps", 0, (0, 10), "c", 0, "high"),
        ("nps", 3, (0, 10), "c", 0, "high"),
        ("nps", 4, (0, 10), "c", 0, "normal"),
        ("nps", 6, (0, 10), "c", 0, "normal"),
        ("nps", 3, (0, 10), "c", 99_999, "high"),
        ("nps", 3, (0, 10), "c", 100_000, "urgent"),
        ("nps", 6, (0, 10), "c", 100_000, "high"),
        ("nps", 0, (0, 10), None, 0, "low"),
        ("recommend", 0, (0, 1), "c", 0, "high"),
        ("csat", 1, (1, 5), "c", 0, "high"),
        ("csat", 2, (1, 5), "c", 0, "high"),
        ("ces", 3, (1, 7), "c", 0, "normal"),
        # The other direction: 1 is the best, so 7 is as bad as 1 otherwise.
        ("ces", 7, (1, 7), "c", 0, "high"),
        ("ces", 5, (1, 7), "c", 0, "normal"),
        ("rating", 8, (1, 11), "c", 0, "high"),
        ("nps", None, (None, None), "c", 0, "normal"),
        ("csat", 3, (3, 3), "c", 0, "normal"),  # no scale at all
    ],
)
def test_priority(
    metric: str,
    score: float | None,
    scale: tuple[float | None, float | None],
    customer: str | None,
    order_value: int,
    expected: str,
) -> None:
    assert priority(metric, score, scale, customer, order_value) == expected
