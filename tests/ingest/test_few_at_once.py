"""A few at once, then one now and then; and a memory that does not grow."""

from services.ingest.limits import FewAtOnce
from tests.ingest.running import HeldClock


def test_a_burst_then_one_in_so_many_seconds() -> None:
    clock = HeldClock()
    few = FewAtOnce(3, 10.0, clock)
    assert [few.lets("a") for _ in range(5)] == [True, True, True, False, False]
    clock.advance(9.9)
    assert not few.lets("a")
    clock.advance(0.2)
    assert [few.lets("a"), few.lets("a")] == [True, False]
    clock.advance(3_600)
    assert [few.lets("a") for _ in range(4)] == [True, True, True, False]


def test_each_name_has_its_own() -> None:
    few = FewAtOnce(1, 10.0, HeldClock())
    assert [few.lets("a"), few.lets("b"), few.lets("a")] == [True, True, False]


def test_only_the_names_that_came_last_are_known() -> None:
    few = FewAtOnce(1, 10.0, HeldClock(), remembered=2)
    assert [few.lets(name) for name in ("a", "b", "a", "c", "a", "b")] == [True, True, False, True, False, True]
