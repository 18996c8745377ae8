"""Records as messages. A batch in which nothing is wrong is decoded in a few calls, any other record by record."""

from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, TypeGuard

import msgspec

from shared.consumer.messages import Item, Messages, read_record
from shared.events.catalogue import TYPES
from shared.events.envelope import Event
from shared.events.fields import EventError
from shared.log.port import Record, Records

_first, _last = itemgetter(0), itemgetter(-1)
_type, _data = attrgetter("type"), attrgetter("data")
_OPEN, _CLOSE = b"{}"
_events = msgspec.json.Decoder(Event)


def read_records(records: Sequence[Record]) -> Sequence[Item]:
    """What `read_record` makes of each, in their order."""
    at_once = _read_at_once(Records.of(records))
    return [read_record(record) for record in records] if at_once is None else at_once


def _read_at_once(records: Records) -> Messages | None:
    """None where one of them is not as it should be: to look at each by itself tells which, and why."""
    if not _are_apart(records.values):
        return None
    try:
        events = _events.decode_lines(b"\n".join(records.values))
        told = _told(events) if len(events) == len(records) and _are_placed(records, events) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError):
        return None
    return None if told is None else Messages(records, events, told)


def _are_apart(values: Sequence[Any]) -> TypeGuard[Sequence[bytes]]:
    """Whether each is at least one whole value where all of them, joined by line breaks, are JSON.

    Each goes from a brace to a brace: a string holds no line break, and behind a closing brace no other may open but
    that of a next value. So where there are as many values as records, each record is one of them.
    """
    return all(values) and set(map(_first, values)) == {_OPEN} and set(map(_last, values)) == {_CLOSE}


def _are_placed(records: Records, events: Sequence[Event]) -> bool:
    """Whether each lies on the topic of its type."""
    places = set(zip(records.partitions, map(_type, events), strict=True))
    return all((kind := TYPES.get(type_)) and partition.topic.endswith(kind.topic) for partition, type_ in places)


def _told(events: Sequence[Event]) -> list[Any]:
    """The data of each."""
    types = list(map(_type, events))
    kinds = set(types)
    if len(kinds) == 1:
        return _decoded(types[0], events)
    of = {type_: iter(_decoded(type_, [event for event in events if event.type == type_])) for type_ in kinds}
    return [next(of[type_]) for type_ in types]


def _decoded(type_: str, events: Iterable[Event]) -> list[Any]:
    kind = TYPES[type_]
    found = kind.decoder.decode_lines(b"\n".join(map(_data, events)))
    if check_all := getattr(kind.struct, "check_all", None):
        check_all(found)
    elif check := getattr(kind.struct, "check", None):
        for data in found:
            check(data)
    return found
