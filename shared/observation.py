"""Figures that stand in the database or on the log are read when somebody scrapes: not more often than they may be.

What cannot be read within two seconds is not shown at all: an old figure would look like a good one.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Gauge

from shared.clock import Clock
from shared.reasons import reason
from shared.single_flight import SingleFlight

LOOK_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class Figures(Protocol):
    max_age_seconds: float

    async def look(self) -> None:
        """Read and set the gauges; raises when the database or the log is away."""
        ...

    def forget(self) -> None:
        """Show nothing instead."""
        ...


class Observation:
    """The figures of one service; `refresh` is called before its metrics are written."""

    def __init__(self, figures: Sequence[Figures], clock: Clock, registry: CollectorRegistry) -> None:
        self._figures = figures
        self._clock = clock
        self._looked: dict[Figures, float] = {}
        self._complete = Gauge(
            "petla_scrape_complete", "1 while every figure of the database and the log can be read", registry=registry
        )
        self.refresh = SingleFlight(self._refresh)

    async def _refresh(self) -> None:
        read = [await self._is_read(figures) for figures in self._figures]
        self._complete.set(all(read))

    async def _is_read(self, figures: Figures) -> bool:
        now = self._clock.monotonic()
        if now - self._looked.get(figures, -figures.max_age_seconds) < figures.max_age_seconds:
            return True
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await figures.look()
        except Exception as error:  # whatever it is: the other figures are still shown
            _log.warning("figures_not_read", figures=type(figures).__name__, reason=reason(error))
            figures.forget()
            self._looked.pop(figures, None)
            return False
        self._looked[figures] = now
        return True
