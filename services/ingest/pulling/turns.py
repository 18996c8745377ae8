"""Whose turn it is to pull, and where the puller stands: one record, `cursor/NAME`, in `petla.config`.

The record is renewed by its holder; another takes it over when, by its own clock, it has not changed for a while. No
two clocks are compared. For as long as a record needs to be read everywhere two may pull: then things come twice, which
is harmless, and a position is only ever written by who has kept everything before it, so none is lost.
"""

from typing import Any

from services.ingest.pulling.port import Position
from shared.clock import Clock
from shared.config import ConfigStore

RENEWED_AFTER_SECONDS = 30.0
TAKEN_OVER_AFTER_SECONDS = 120.0
PREFIX = "cursor/"


class Turn:
    """`holder` is this process's alone, made anew at each start."""

    def __init__(self, name: str, config: ConfigStore, clock: Clock, holder: str) -> None:
        self._key = PREFIX + name
        self._config = config
        self._clock = clock
        self._holder = holder
        self._seen: dict[str, Any] | None = None
        self._seen_at = 0.0

    @property
    def is_mine(self) -> bool:
        return self._record().get("holder") == self._holder

    @property
    def position(self) -> Position:
        """Where whoever held it last stood; {} for nobody ever."""
        return dict(self._record().get("position") or {})

    async def take(self) -> bool:
        """Whether it is ours, taken over where nobody renews it. Raises `LogUnavailable`."""
        record, now = self._record(), self._clock.monotonic()
        if record != self._seen:
            self._seen, self._seen_at = record, now
        unchanged = now - self._seen_at
        if self.is_mine and unchanged < RENEWED_AFTER_SECONDS:
            return True
        if not self.is_mine and record.get("holder") and unchanged < TAKEN_OVER_AFTER_SECONDS:
            return False
        return await self._write(self._holder, self.position)

    async def move(self, position: Position) -> bool:
        """False, and nothing is written, where another has taken over meanwhile. Raises `LogUnavailable`."""
        return self.is_mine and await self._write(self._holder, position)

    async def leave(self) -> None:
        """Another need not wait. Raises `LogUnavailable`."""
        if self.is_mine:
            await self._write(None, self.position)

    async def _write(self, holder: str | None, position: Position) -> bool:
        """Of two who write at once, the later one in the log has it: both read that here."""
        beat = self._record().get("beat", 0) + 1
        await self._config.put(self._key, {"holder": holder, "beat": beat, "position": position})
        self._seen, self._seen_at = self._record(), self._clock.monotonic()
        return self.is_mine

    def _record(self) -> dict[str, Any]:
        return self._config.get(self._key) or {}
