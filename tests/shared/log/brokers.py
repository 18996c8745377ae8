"""A broker's log for the tests of the spill: told to be away, to be slow, or to refuse; it counts who asked it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from shared.log.memory import MemoryLog
from shared.log.port import Durability, NewRecord, RecordsRefused
from tests.shared.log.conftest import TOPICS

LARGEST = 1_000


class Broker(MemoryLog):
    """`kept` is every value in the order it arrived; values above `LARGEST` bytes are refused for good."""

    durability: Durability = "replicated"

    def __init__(self) -> None:
        super().__init__(TOPICS)
        self.kept: list[bytes] = []
        self.asked = 0
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        self.asked += 1
        self.reached.set()
        await self.gate.wait()
        self.check()
        refused = [record for record in records if len(record.value or b"") > LARGEST]
        taken = [record for record in records if record not in refused]
        self.kept += [record.value or b"" for record in taken]
        await super().append(taken)
        if refused:
            raise RecordsRefused(refused, "larger than it allows")
        return self.durability


class HeldClock:
    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, 12, 0, tzinfo=UTC) + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


def record(value: bytes | str) -> NewRecord:
    encoded = value.encode() if isinstance(value, str) else value
    return NewRecord("facts", encoded[:20], encoded)
