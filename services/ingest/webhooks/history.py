"""What `petla.raw` tells of one source: its deliveries, and what stands of all that they made."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from services.ingest.webhooks.records import record_fact
from services.ingest.webhooks.request import Request
from shared.events.envelope import Event, decode_event
from shared.events.raw import RAW, Emitted, WebhookReceived, unpacked
from shared.log.port import Log, Partition

_READ = 500
_WAIT_SECONDS = 1.0
_decode = msgspec.json.Decoder(WebhookReceived).decode


@dataclass(frozen=True)
class Delivery:
    """A verified delivery as it came; `id` is that of its record, `arrival` when it came."""

    id: str
    arrival: datetime
    request: Request


class Standing(NamedTuple):
    """The highest revision of a fact that the source made, and the delivery that made it."""

    emitted: Emitted
    delivery: str
    arrival: datetime


class History:
    """Not for use before `read`; what comes in meanwhile is not seen."""

    def __init__(self, log: Log, topic: str, source: str) -> None:
        self._log = log
        self._topic = topic
        self._source = source
        self._ends: dict[Partition, int] = {}
        self._starts: dict[Partition, int] = {}
        self._made: dict[str, set[str]] = {}
        self.standing: dict[str, Standing] = {}
        self.elsewhere: set[str] = set()
        self.erased: set[str] = set()

    async def read(self, since: datetime) -> None:
        """`elsewhere` becomes the facts that deliveries from before `since` made too, or some whose body was erased
        with a person: `erased` are those of them that came since.
        """
        for number, (start, end) in (await self._log.bounds(self._topic)).items():
            self._starts[Partition(self._topic, number)] = start
            self._ends[Partition(self._topic, number)] = end
        async for event, told in self._records():
            self._remember(event, told, event.receivedat < since)
        for delivery in self.erased:
            self.elsewhere |= self._made.get(delivery, set())

    def made_by(self, delivery: Delivery) -> set[str]:
        """Facts that it made, when it came or mapped again."""
        return self._made.get(record_fact(self._source, delivery.id), set())

    async def deliveries(self, since: datetime) -> AsyncIterator[Delivery]:
        """Those that were verified, from `since` on; of which the body cannot be read any more are passed over."""
        async for event, told in self._records():
            if event.receivedat < since or told.replays is not None or not _was_verified(told):
                continue
            if (body := _body(told)) is None:
                continue
            yield Delivery(event.id, event.receivedat, Request(told.method, told.url, told.headers, body))

    def _remember(self, event: Event, told: WebhookReceived, before: bool) -> None:
        delivery = event.factid if told.replays is None else record_fact(self._source, told.replays)
        if not before and told.replays is None and _was_verified(told) and _body(told) is None:
            self.erased.add(delivery)
        for emitted in told.events:
            if before:
                self.elsewhere.add(emitted.fact)
            else:
                self._made.setdefault(delivery, set()).add(emitted.fact)
            known = self.standing.get(emitted.fact)
            if known is None or emitted.revision > known.emitted.revision:
                self.standing[emitted.fact] = Standing(emitted, delivery, event.receivedat)

    async def _records(self) -> AsyncIterator[tuple[Event, WebhookReceived]]:
        reader = self._log.reader()
        try:
            await reader.assign({place: start for place, start in self._starts.items() if start < self._ends[place]})
            left = {place for place, start in self._starts.items() if start < self._ends[place]}
            while left:
                for record in await reader.read(_READ, _WAIT_SECONDS):
                    if record.offset < self._ends[record.partition] and (found := self._understood(record.value)):
                        yield found
                left = {place for place in left if await reader.position(place) < self._ends[place]}
        finally:
            await reader.close()

    def _understood(self, value: bytes | None) -> tuple[Event, WebhookReceived] | None:
        try:
            event = decode_event(value or b"")
            if event.type != RAW or event.sender != self._source:
                return None
            return event, _decode(event.data)
        except msgspec.DecodeError:
            return None


def _body(told: WebhookReceived) -> bytes | None:
    """None where there was one, and is none any more."""
    if told.body is None:
        return None if told.size else b""
    try:
        return unpacked(told.body)
    except ValueError:
        return None


def _was_verified(told: WebhookReceived) -> bool:
    return told.body is not None or (told.outcome != "rejected" and told.outcome != "handshake")
