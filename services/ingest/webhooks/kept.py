"""A single delivery as `petla.raw` keeps it, found by its place on the log."""

from datetime import datetime
from typing import NamedTuple

import msgspec

from services.ingest.webhooks.request import Request
from shared.events.envelope import decode_event
from shared.events.raw import RAW, WebhookReceived, unpacked
from shared.log.port import Log, OffsetOutOfRange, Partition

_decode = msgspec.json.Decoder(WebhookReceived).decode


class Place(NamedTuple):
    """`id` says which record is meant: a log that was made anew has another one there."""

    partition: int
    offset: int
    id: str


class Kept(NamedTuple):
    """`arrival` is when it came, `version` that of the document it was mapped by."""

    arrival: datetime
    version: int
    request: Request


async def find(log: Log, topic: str, source: str, place: Place) -> Kept | None:
    """None where nothing of it is kept: never, not any more, or the person it was about was erased."""
    bounds = (await log.bounds(topic)).get(place.partition)
    if bounds is None or not bounds.start <= place.offset < bounds.end:
        return None
    reader = log.reader()
    try:
        record = await reader.record_at(Partition(topic, place.partition), place.offset)
    except OffsetOutOfRange:
        return None
    finally:
        await reader.close()
    return None if record is None else _read(record.value, source, place.id)


def _read(value: bytes | None, source: str, name: str) -> Kept | None:
    try:
        event = decode_event(value or b"")
        if (event.type, event.sender, event.factid) != (RAW, source, name):
            return None
        told = _decode(event.data)
        if told.body is None:
            return None
        request = Request(told.method, told.url, told.headers, unpacked(told.body))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return Kept(event.receivedat, told.version, request)
