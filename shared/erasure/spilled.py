"""Erases in what ingest keeps on its disk while the broker is away, where nothing but the event itself can be asked.

Whoever is named by it goes by the rule of all arrivals. What names nobody is sent as it is, and loses the person when
it is read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from shared.consumer.messages import Message, read_record
from shared.erasure.anonymous import customer_of
from shared.erasure.arrivals import without_person
from shared.erasure.marks import Marks, body_of
from shared.erasure.requests import Request, Requests
from shared.events.raw import WebhookReceived
from shared.log.port import NewRecord, Partition, Record
from shared.log.spill_file import ChangeOne


class Spill(Protocol):
    async def rewrite(self, change: ChangeOne) -> int: ...


class SpillEraser:
    def __init__(self, requests: Requests, spill: Spill) -> None:
        self._requests = requests
        self._spill = spill
        self._done: set[tuple[str, datetime]] = set()

    async def run_once(self) -> int:
        """For all who were asked for since the last pass; the number of records that lost a person."""
        pending = [one for one in self._requests.all() if (one.hash, one.at) not in self._done]
        if not pending:
            return 0
        changed = await self._spill.rewrite(_Change(self._requests, pending))
        self._done |= {(one.hash, one.at) for one in pending}
        return changed


class _Change:
    def __init__(self, requests: Requests, pending: list[Request]) -> None:
        self._names = requests.names
        self._until: Mapping[bytes, datetime] = {bytes.fromhex(one.hash): one.at for one in pending}
        self._marks = Marks([self._names.unseal(one.sealed) for one in pending])

    def __call__(self, record: NewRecord) -> bytes | None:
        read = read_record(Record(Partition(record.topic, 0), 0, record.key, record.value))
        return without_person(read).record.value if isinstance(read, Message) and self._is_theirs(read) else None

    def _is_theirs(self, message: Message) -> bool:
        if isinstance(message.data, WebhookReceived):
            return self._marks.found_in(body_of(message.data))
        customer = customer_of(message.data)
        until = self._until.get(self._names.customer(customer)) if customer else None
        return until is not None and min(message.event.time, message.event.receivedat) <= until
