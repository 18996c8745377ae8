"""Figures of the database and the log: read at a scrape, not too often, and not shown when they cannot be read."""

import asyncio
from datetime import datetime

import pytest
import structlog
from prometheus_client import CollectorRegistry

from shared import observation
from shared.observation import Observation


class HeldClock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now(self) -> datetime:
        raise AssertionError("ages are measured, not dated")

    def monotonic(self) -> float:
        return self.seconds


class Counted:
    """Figures that raise, or hang, when told to."""

    def __init__(self, max_age_seconds: float = 10.0) -> None:
        self.max_age_seconds = max_age_seconds
        self.looks = 0
        self.forgotten = 0
        self.error: Exception | None = None
        self.hangs = False

    async def look(self) -> None:
        self.looks += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error

    def forget(self) -> None:
        self.forgotten += 1


class Watched:
    def __init__(self, *figures: Counted) -> None:
        self.clock = HeldClock()
        self._registry = CollectorRegistry()
        self.refresh = Observation(figures, self.clock, self._registry).refresh

    @property
    def complete(self) -> float | None:
        return self._registry.get_sample_value("petla_scrape_complete")


async def test_figures_are_read_again_once_they_are_old() -> None:
    often, rarely = Counted(1.0), Counted(10.0)
    watched = Watched(often, rarely)
    for _ in range(11):
        await watched.refresh()
        watched.clock.seconds += 1.0
    assert (often.looks, rarely.looks) == (11, 2)
    await watched.refresh()
    watched.clock.seconds += 0.5
    await watched.refresh()
    assert often.looks == 12
    assert watched.complete == 1


async def test_what_cannot_be_read_is_not_shown_and_the_others_are() -> None:
    broken, whole = Counted(), Counted()
    broken.error = ValueError("Anna Nowak")
    watched = Watched(broken, whole)
    with structlog.testing.capture_logs() as logged:
        await watched.refresh()
    assert (broken.forgotten, whole.forgotten, whole.looks) == (1, 0, 1)
    assert watched.complete == 0
    assert [(entry["event"], entry["figures"]) for entry in logged] == [("figures_not_read", "Counted")]
    assert "Anna" not in str(logged)


async def test_figures_come_back_at_the_next_scrape() -> None:
    figures = Counted()
    figures.error = OSError("away")
    watched = Watched(figures)
    await watched.refresh()
    figures.error = None
    await watched.refresh()
    assert (figures.looks, watched.complete) == (2, 1)


async def test_a_scrape_does_not_hang_with_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "LOOK_SECONDS", 0.01)
    figures = Counted()
    figures.hangs = True
    watched = Watched(figures)
    async with asyncio.timeout(5):
        await watched.refresh()
    assert (figures.forgotten, watched.complete) == (1, 0)


async def test_scrapes_at_once_look_once() -> None:
    figures = Counted(0.0)
    watched = Watched(figures)
    await asyncio.gather(*(watched.refresh() for _ in range(50)))
    assert figures.looks == 1
