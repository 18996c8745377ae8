"""What waits for Kafka: appends cut into slices for the partitions they go to, and each partition's next batch."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder  # type: ignore[import-untyped]
from msgspec import Struct

from shared.log.port import NewRecord, Partition, RecordsRefused

MAX_BATCH_BYTES = 1_000_000
MOST_ROWS = 100_000
_NO_HEADERS: list[tuple[str, bytes | None]] = []


Row = tuple[bytes, bytes | None]  # a key and its value


class Append(Struct, gc=False, eq=False):
    """One call, whose rows go to `left` lanes; answered when the last of them is. Of `size` bytes."""

    left: int
    size: int
    done: "asyncio.Future[None]"
    refusals: tuple[NewRecord, ...] = ()

    def answer(self) -> None:
        if self.done.done():  # it has failed already, or who waited has gone
            return
        if self.refusals:
            self.done.set_exception(RecordsRefused([*self.refusals], "larger than max.message.bytes of their topic"))
        else:
            self.done.set_result(None)


class Slice(Struct, gc=False, eq=False):
    """What of one append goes to one partition."""

    rows: Sequence[Row]
    append: Append

    def cut(self, at: int) -> "tuple[Slice, Slice]":
        self.append.left += 1
        return Slice(self.rows[:at], self.append), Slice(self.rows[at:], self.append)


class Road:
    """To one broker, which has at most one request to answer; None stands for one that is not known yet."""

    __slots__ = ("broker", "driving", "lanes")

    def __init__(self, broker: int | None) -> None:
        self.broker = broker
        self.lanes: list[Lane] = []  # those with something to send
        self.driving: asyncio.Task[None] | None = None


class Lane:
    """One partition: at most one batch is on its way, of at most so many rows. It idles, or its road serves it.

    `until` is when those at the front are given up; `tried` when they have failed before.
    """

    __slots__ = ("batch", "idle", "most_rows", "partition", "road", "tried", "until", "waiting")

    def __init__(self, partition: Partition, road: Road) -> None:
        self.partition = partition
        self.road = road
        self.waiting: deque[Slice] = deque()
        self.batch: list[Slice] = []
        self.idle = True
        self.tried = False
        self.until: float | None = None
        self.most_rows = MOST_ROWS

    def fill(self) -> bytes:
        """What fits of what waits, as it goes to the broker; its slices move to `batch`."""
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, MAX_BATCH_BYTES)
        add, now, rows = builder.append, int(time.time() * 1000), 0
        while self.waiting and rows < self.most_rows:
            found = self.waiting.popleft()
            most = self.most_rows - rows
            for at, (key, value) in enumerate(found.rows):
                if at == most or add(rows, now, key, value, _NO_HEADERS) is None:
                    self._take_part(found, at)
                    return builder.build()  # type: ignore[no-any-return]
                rows += 1
            self.batch.append(found)
        return builder.build()  # type: ignore[no-any-return]

    def _take_part(self, found: Slice, at: int) -> None:
        if at:
            taken, found = found.cut(at)
            self.batch.append(taken)
        self.waiting.appendleft(found)

    def put_back(self) -> None:
        self.waiting.extendleft(reversed(self.batch))
        self.batch = []

    def begin(self, now: float, seconds: float) -> float:
        """Until when the front may take."""
        if self.until is None:
            self.until = now + seconds
        return self.until
