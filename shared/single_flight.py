"""Whoever asks while an answer is on its way gets that one: paths open to anyone cost one look at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SingleFlight(Generic[Answer]):
    def __init__(self, look: Callable[[], Awaitable[Answer]]) -> None:
        self._look = look
        self._looking: asyncio.Future[Answer] | None = None

    async def __call__(self) -> Answer:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        # Whoever goes away must not take the answer from the others.
        return await asyncio.shield(self._looking)
