"""Records as messages. A batch in which nothing is wrong is decoded in a few calls, any other record by record."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, TypeGuard

import msgspec

from shared.consumer.messages import Item, Message, read_record
from shared.events.catalogue import TYPES
from shared.events.envelope import Event
from shared.events.fields import EventError
from shared.log.port import Record

_first, _last = itemgetter(0), itemgetter(-1)
_OPEN, _CLOSE = b"{}"
_events = msgspec.json.Decoder(Event)


def read_records(records: Sequence[Record]) -> Sequence[Item]:
    """What `read_record` makes of each, in their order."""
    at_once = _read_at_once(records)
    return [read_record(record) for record in records] if at_once is None else at_once


def _read_at_once(records: Sequence[Record]) -> list[Message] | None:
    """None where one of them is not as it should be: to look at each by itself tells which, and why."""
    values = [record.value for record in records]
    if not _are_apart(values):
        return None
    try:
        events = _events.decode_lines(b"\n".join(values))
        told = _told(records, events) if len(events) == len(records) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError):
        return None
    return told and list(map(Message._make, zip(records, events, told, strict=True)))


def _are_apart(values: Sequence[Any]) -> TypeGuard[Sequence[bytes]]:
    """Whether each is at least one whole value where all of them, joined by line breaks, are JSON.

    Each goes from a brace to a brace: a string holds no line break, and behind a closing brace no other may open but
    that of a next value. So where there are as many values as records, each record is one of them.
    """
    return all(values) and set(map(_first, values)) == {_OPEN} and set(map(_last, values)) == {_CLOSE}


def _told(records: Sequence[Record], events: Sequence[Event]) -> list[Any] | None:
    """The data of each event."""
    places: dict[str, list[int]] = {}
    for at, event in enumerate(events):
        places.setdefault(event.type, []).append(at)
    told: list[Any] = [None] * len(events)
    for type_, those in places.items():
        topics = {records[at].partition.topic for at in those}
        if (kind := TYPES.get(type_)) is None or not all(topic.endswith(kind.topic) for topic in topics):
            return None
        found = kind.decoder.decode_lines(b"\n".join(events[at].data for at in those))
        for at, data in zip(those, found, strict=True):
            told[at] = data
        if hasattr(kind.struct, "check"):
            for data in found:
                data.check()
    return told
