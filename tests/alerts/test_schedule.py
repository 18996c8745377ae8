"""When a notification is tried again, and when not any more. The delays are those of Standard Webhooks."""

from datetime import UTC, datetime

import pytest

from services.alerts.schedule import Reply, next_delay
from shared.retry_after import retry_after_seconds

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FAILED = Reply(500, "no")


def middle() -> float:
    return 0.5


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 5), (2, 300), (3, 1_800), (4, 7_200), (5, 18_000), (6, 36_000), (7, 50_400), (8, 72_000), (9, 86_400)],
)
def test_the_schedule(attempts: int, seconds: float) -> None:
    assert next_delay(FAILED, attempts, middle) == seconds


@pytest.mark.parametrize(
    ("status", "taken"), [(None, False), (199, False), (200, True), (204, True), (299, True), (300, False)]
)
def test_only_2xx_is_taken(status: int | None, taken: bool) -> None:
    assert Reply(status).taken is taken


def test_after_the_tenth_attempt_nobody_tries() -> None:
    assert next_delay(FAILED, 10, middle) is None


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 240), (1.0, 360)])
def test_the_jitter_is_a_fifth_either_way(random: float, seconds: float) -> None:
    assert next_delay(FAILED, 2, lambda: random) == pytest.approx(seconds)


def test_who_is_gone_is_not_asked_again() -> None:
    assert next_delay(Reply(410, "gone"), 1, middle) is None


@pytest.mark.parametrize(
    ("status", "retry_after", "attempts", "seconds"),
    [
        (429, 60.0, 1, 60),
        (503, 60.0, 1, 60),
        (429, 0.0, 1, 5),
        (429, 1e9, 1, 3_600),
        (429, 60.0, 3, 1_800),
        (500, 60.0, 1, 5),
    ],
)
def test_n05_a_receiver_that_asks_for_time_gets_up_to_an_hour(
    status: int, retry_after: float, attempts: int, seconds: float
) -> None:
    assert next_delay(Reply(status, "later", retry_after), attempts, middle) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        ("0", 0),
        ("-5", 0),
        ("1000000000", 1e9),
        ("9" * 5_000, None),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 20 Nov 2026 12:01:00", 60),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds
