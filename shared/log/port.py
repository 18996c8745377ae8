"""The log as a port: append-only topics with partitions, read by position. Every implementation passes one suite.

An append that returned is on the log with the durability it names; one that raised may still be there (a retry is
harmless: identity is in the event). Readers never commit anything: the position lives beside the effects.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, overload, runtime_checkable

Durability = Literal["replicated", "broker", "local"]


class Partition(NamedTuple):
    topic: str
    number: int


class NewRecord(NamedTuple):
    """What is appended: the key decides the partition; `value` None is a tombstone on a compacted topic."""

    topic: str
    key: bytes
    value: bytes | None


class Column(Sequence[NewRecord]):
    """Records of one topic, keys and values apart: of a batch none is made, where a log has no use for them."""

    def __init__(self, topic: str, keys: Sequence[bytes], values: Sequence[bytes | None]) -> None:
        self.topic = topic
        self.keys = keys
        self.values = values

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, at: int) -> NewRecord: ...
    @overload
    def __getitem__(self, at: slice) -> "Column": ...
    def __getitem__(self, at: int | slice) -> "NewRecord | Column":
        if isinstance(at, slice):
            return Column(self.topic, self.keys[at], self.values[at])
        return NewRecord(self.topic, self.keys[at], self.values[at])


class Record(NamedTuple):
    partition: Partition
    offset: int
    key: bytes | None
    value: bytes | None


class Records(Sequence[Record]):
    """Records that were read, a column each: of a batch none is made where nobody has a use for it."""

    def __init__(
        self,
        partitions: Sequence[Partition],
        offsets: Sequence[int],
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
    ) -> None:
        self.partitions = partitions
        self.offsets = offsets
        self.keys = keys
        self.values = values

    @classmethod
    def of(cls, records: Sequence[Record]) -> "Records":
        if isinstance(records, cls):
            return records
        return cls(
            [record.partition for record in records],
            [record.offset for record in records],
            [record.key for record in records],
            [record.value for record in records],
        )

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[Record]:
        return map(Record, self.partitions, self.offsets, self.keys, self.values)

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> "Records": ...
    def __getitem__(self, at: int | slice) -> "Record | Records":
        made = Records if isinstance(at, slice) else Record
        return made(self.partitions[at], self.offsets[at], self.keys[at], self.values[at])  # type: ignore[arg-type]


# What stands in place of each record's value from now on; None leaves it.
Change = Callable[[Sequence[Record]], Awaitable[Sequence[bytes | None]]]


class Bounds(NamedTuple):
    """`start` is the first offset that can still be read, `end` the offset the next record will get."""

    start: int
    end: int


# A log that others keep forgets by segments: the last record of one is older than its retention before any goes.
SEGMENT_HOURS = 24


class Topic(NamedTuple):
    """`retention_hours` None keeps for ever; a compacted topic keeps the newest record of each key."""

    name: str
    partitions: int
    retention_hours: int | None
    compacted: bool = False


class LogUnavailable(Exception):  # noqa: N818 - it is a state of the log, not a mistake of the caller
    """Nothing can be appended or read at the moment; the message says why. Try again later."""


class OffsetOutOfRange(Exception):  # noqa: N818 - as above
    """The position lies before the log's start (retention passed it) or behind its end (another log)."""

    def __init__(self, partition: Partition, position: int) -> None:
        super().__init__(f"{partition.topic}/{partition.number} has no offset {position}")
        self.partition = partition
        self.position = position


class RecordsRefused(Exception):  # noqa: N818 - as above
    """The log will never take these records (they are larger than it allows); trying again is of no use."""

    def __init__(self, records: "Sequence[NewRecord]", reason: str) -> None:
        super().__init__(f"{len(records)} records are refused for good: {reason}")
        self.records = records
        self.reason = reason


class Overloaded(LogUnavailable):
    """More is waiting to be appended than may wait."""


class Reader(Protocol):
    """Reads assigned partitions in the order of their offsets. Not for use by two tasks at once."""

    async def assign(self, positions: Mapping[Partition, int]) -> None:
        """Read exactly these partitions, each from its offset; replaces the earlier assignment."""
        ...

    async def position(self, partition: Partition) -> int:
        """The offset that the next read of this partition starts at."""
        ...

    async def read(self, limit: int, wait_seconds: float) -> Sequence[Record]:
        """What is there, at most `limit` records; waits at most `wait_seconds` for the first one."""
        ...

    async def record_at(self, partition: Partition, offset: int) -> Record | None:
        """One record, or None where the log has none at that offset. Moves no position."""
        ...

    async def close(self) -> None: ...


class Log(Protocol):
    @property
    def problem(self) -> str | None:
        """Why nothing can be appended at the moment, for anyone who asks for readiness: without paths and addresses."""
        ...

    async def append(self, records: Sequence[NewRecord]) -> Durability:
        """All of them, durably. Raises `LogUnavailable` (or `Overloaded`), or `RecordsRefused` with those never taken.

        After `RecordsRefused` the others of the call are on the log.
        """
        ...

    async def partitions(self, topic: str) -> int: ...

    async def bounds(self, topic: str) -> dict[int, Bounds]: ...

    async def incarnation(self, topic: str) -> str:
        """Another value means another log under the same name; empty where the log cannot tell."""
        ...

    def reader(self) -> Reader: ...

    async def close(self) -> None: ...


@runtime_checkable
class Rewritable(Protocol):
    """A log whose records lie with us: what may no longer be said in one can be taken out of it."""

    async def rewrite(self, topic: str, change: Change) -> int: ...
