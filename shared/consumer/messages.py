"""What the runtime hands to a service, and what it gets back."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, overload

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.catalogue import TYPES
from shared.events.envelope import Event, decode_event, is_fact_name
from shared.events.fields import EventError
from shared.log.port import NewRecord, Partition, Record, Records


class Message(NamedTuple):
    """A record that was understood: the envelope and its data as the struct of its type."""

    record: Record
    event: Event
    data: Any


class Messages(Sequence[Message]):
    """The same, a column each: of a batch none is made where nobody has a use for it."""

    def __init__(self, records: Records, events: Sequence[Event], data: Sequence[Any]) -> None:
        self.records = records
        self.events = events
        self.data = data

    @classmethod
    def of(cls, messages: Sequence[Message]) -> "Messages":
        if isinstance(messages, cls):
            return messages
        records = Records.of([message.record for message in messages])
        return cls(records, [message.event for message in messages], [message.data for message in messages])

    def __len__(self) -> int:
        return len(self.events)

    @cached_property
    def rows(self) -> list[Message]:
        """Each is always the same object: who asks for one twice may tell by that."""
        return list(map(Message, self.records, self.events, self.data))

    def __iter__(self) -> Iterator[Message]:
        return iter(self.rows)

    @overload
    def __getitem__(self, at: int) -> Message: ...
    @overload
    def __getitem__(self, at: slice) -> "Messages": ...
    def __getitem__(self, at: int | slice) -> "Message | Messages":
        if isinstance(at, slice):
            return Messages(self.records[at], self.events[at], self.data[at])
        return self.rows[at]


class Letter(NamedTuple):
    """A record set aside. `reason` is a short code that is counted, `detail` a sentence for whoever looks at it."""

    record: Record
    reason: str
    detail: str
    event: Event | None = None


Item = Message | Letter


def letters_among(items: Sequence[Item]) -> list[Letter]:
    return [] if isinstance(items, Messages) else [item for item in items if isinstance(item, Letter)]


# The reason of a letter whose record was understood, and then could not be processed.
HANDLER_FAILED = "handler_failed"
# How many records of a partition ended as what: new, duplicate, conflict, rejected.REASON.
Outcomes = Counter[tuple[Partition, str]]


class Conflict(NamedTuple):
    """The same revision of a fact with other content; the first in the log stays."""

    message: Message
    id: str
    content: bytes
    detail: str


@dataclass
class Handled:
    """What became of a batch: duplicates by partition, conflicts, and what to publish once it is committed.

    `outcomes` are counted by the runtime, from these.
    """

    duplicates: Counter[Partition] = field(default_factory=Counter)
    conflicts: list[Conflict] = field(default_factory=list)
    publish: list[NewRecord] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    outcomes: Outcomes = field(default_factory=Counter)

    def add(self, other: "Handled") -> None:
        self.duplicates += other.duplicates
        self.conflicts += other.conflicts
        self.publish += other.publish
        self.after_commit += other.after_commit


# A handler changes the database in the transaction it is given; it never calls the network and never commits.
Handler = Callable[[Sequence[Message], AsyncConnection], Awaitable[Handled]]
# Which handler takes which type of event. A type that is not listed is read and passed over.
Subscriptions = Mapping[str, Handler]
# What was committed from an offset on and may not have been published before a crash.
Republish = Callable[[Partition, datetime, AsyncConnection], Awaitable[list[NewRecord]]]


def read_record(record: Record) -> Message | Letter:
    """Decode and validate; every way a record can be wrong ends in a letter with its reason, never in an exception."""
    if record.value is None:
        return Letter(record, "empty", "the record has no value")
    try:
        event = decode_event(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Letter(record, "undecodable", str(error))
    kind = TYPES.get(event.type)
    if kind is None:
        return Letter(record, "unknown_type", f"{event.type} is not a type this version knows", event)
    if not record.partition.topic.endswith(kind.topic):
        return Letter(record, "wrong_topic", f"{event.type} belongs on the topic {kind.topic}", event)
    try:
        data = kind.decoder.decode(event.data)
        if check := getattr(data, "check", None):
            check()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError) as error:
        return Letter(record, "invalid", str(error), event)
    return Message(record, event, data)


def place(record: Record, event: Event | None = None) -> dict[str, object]:
    """What may be logged of a record: where it is, and which fact it is about."""
    where: dict[str, object] = {
        "topic": record.partition.topic,
        "partition": record.partition.number,
        "offset": record.offset,
    }
    return {**where, "fact": named(event)} if event else where


def named(event: Event) -> str:
    """The fact's id; empty for what is none, which may be anything."""
    return event.factid if is_fact_name(event.factid) else ""


def digest(record: Record) -> bytes:
    """What the runtime remembers of the last record it read, to tell whether the log is still the same one.

    Which fact and revision it is, and when it arrived: that stays when a person is taken out of it.
    """
    try:
        event = decode_event(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return content_of(record)
    name = f"{event.type}\0{event.factid}\0{event.revision}\0{event.receivedat.isoformat()}"
    return hashlib.blake2b((record.key or b"") + b"\0" + name.encode(), digest_size=8).digest()


def content_of(record: Record) -> bytes:
    """What was remembered of it before erasures, and still is of what nobody can read."""
    content = (record.key or b"") + b"\0" + (record.value or b"")
    return hashlib.blake2b(content, digest_size=8).digest()


def is_same(record: Record, remembered: bytes) -> bool:
    return remembered in (digest(record), content_of(record))
