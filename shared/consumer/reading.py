"""Records as messages. A batch in which nothing is wrong is decoded in a few calls, any other record by record."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, cast

import msgspec

from shared.consumer.messages import Item, Messages, read_record
from shared.events.catalogue import TYPES
from shared.events.envelope import Event, decode_event
from shared.events.fields import EventError
from shared.log.port import Record, Records

_type, _data = attrgetter("type"), attrgetter("data")


def read_records(records: Sequence[Record]) -> Sequence[Item]:
    """What `read_record` makes of each, in their order."""
    at_once = _read_at_once(Records.of(records))
    return [read_record(record) for record in records] if at_once is None else at_once


def _read_at_once(records: Records) -> Messages | None:
    """None where one of them is not as it should be: to look at each by itself tells which, and why."""
    if None in records.values:
        return None
    try:
        events = list(map(decode_event, cast(Sequence[bytes], records.values)))
        return Messages(records, events, _told(events)) if _are_placed(records, events) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, EventError):
        return None


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
    found = list(map(kind.decoder.decode, map(_data, events)))
    if check_all := getattr(kind.struct, "check_all", None):
        check_all(found)
    elif check := getattr(kind.struct, "check", None):
        for data in found:
            check(data)
    return found
