"""When a sender that could not answer is asked again: later each time, and not before it wants to be."""

import pytest

from services.ingest.pulling.pacing import pause_seconds


def middle() -> float:
    return 0.5


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (5, 80), (6, 160), (7, 320), (8, 640), (9, 900), (10, 900), (5_000, 900)],
)
def test_pauses_double_up_to_a_quarter_of_an_hour(failures: int, seconds: float) -> None:
    assert pause_seconds(failures, None, middle) == seconds


@pytest.mark.parametrize(("random", "seconds"), [(0.0, 4), (1.0, 6)])
def test_the_jitter_is_a_fifth_either_way(random: float, seconds: float) -> None:
    assert pause_seconds(1, None, lambda: random) == pytest.approx(seconds)


@pytest.mark.parametrize(("asked", "seconds"), [(0, 20), (19, 20), (60, 60), (3_600, 3_600), (86_400, 3_600)])
def test_a_sender_that_asks_for_time_gets_it_up_to_an_hour(asked: float, seconds: float) -> None:
    assert pause_seconds(3, asked, middle) == seconds
