"""BigCommerce: its webhooks name an object and nothing more, so the object is fetched, behind the sender's answer.

What came in stands in `petla.raw`; this reads it from there, so a delivery that was answered 2xx is fetched however
long BigCommerce or this process was away, as long as the log keeps it.
"""

from collections.abc import Sequence, Set
from functools import partial
from typing import Any, NamedTuple

import msgspec

from services.ingest.pulling.patience import Ask, Patience
from services.ingest.pulling.port import KIND, Position, Pulled, PullFailed
from services.ingest.pulling.remote import Parameters, Refused, Remote
from services.ingest.webhooks.request import Request
from shared.clock import Clock
from shared.events.envelope import decode_event
from shared.events.raw import RAW, WebhookReceived, unpacked
from shared.log.port import Bounds, Log, OffsetOutOfRange, Partition, Reader, Record

NAME = "bigcommerce"
API = "https://api.bigcommerce.com"
_RECORDS_AT_ONCE = 500
_FETCHED_AT_ONCE = 50

_decode_received = msgspec.json.Decoder(WebhookReceived).decode
_decode_body = msgspec.json.Decoder(dict[str, Any]).decode


class Wanted(NamedTuple):
    """Under which name the fetched object stands beside the event, and where it is."""

    name: str
    path: str
    parameters: Parameters = ()


class BigCommerce:
    """A `Poller` of one store; its position is the offset in each partition of `petla.raw`.

    `topic` is the log's name of `petla.raw`.
    """

    name = NAME

    def __init__(self, remote: Remote, store: str, token: str, log: Log, topic: str, clock: Clock) -> None:
        self._remote = remote
        self._before = f"/stores/{store}"
        self._headers = {"X-Auth-Token": token, "Accept": "application/json"}
        self._log = log
        self._topic = topic
        self._reader: Reader | None = None
        self._patience = Patience(clock)

    async def pull(self, position: Position) -> Pulled:
        """Raises `LogUnavailable` too."""
        records = await self._read(position)
        wanted = {_place(record): body for record in records if (body := _thin(record)) is not None}
        asks: dict[str, Ask] = {place: partial(self._fetched, body) for place, body in wanted.items()}
        answers = await self._patience.ask(asks, _FETCHED_AT_ONCE)
        if answers.failed and not (answers.came or answers.passed_over):
            raise answers.failed
        passed_over = tuple(f"{_named(wanted[place])}: {why}" for place, why in answers.passed_over.items())
        left = wanted.keys() - answers.settled
        more = bool(left) or len(records) >= _RECORDS_AT_ONCE
        moved = {**position, **_behind(records, left)}
        return Pulled(tuple(answers.came.values()), moved, more, passed_over=passed_over)

    def kept(self) -> None:
        self._patience.kept()

    async def close(self) -> None:
        if self._reader is not None:
            await self._reader.close()

    async def _read(self, position: Position) -> Sequence[Record]:
        if self._reader is None:
            self._reader = self._log.reader()
        bounds = await self._log.bounds(self._topic)
        starts = {Partition(self._topic, number): _start(position, number, at) for number, at in bounds.items()}
        await self._reader.assign(starts)
        try:
            return await self._reader.read(_RECORDS_AT_ONCE, 0.0)
        except OffsetOutOfRange as gone:
            raise PullFailed(f"what came in is read from another place: {gone}") from None

    async def _fetched(self, body: dict[str, Any]) -> Request:
        found: dict[str, Any] = {"event": body}
        for wanted in wanted_by(body):
            found[wanted.name] = await self._get(wanted)
        headers = {KIND: "fetched", "content-type": "application/json"}
        return Request("GET", self._remote.base + self._before, headers, msgspec.json.encode(found))

    async def _get(self, wanted: Wanted) -> Any:
        try:
            return await self._remote.get(self._before + wanted.path, self._headers, wanted.parameters)
        except Refused as refused:
            # One object that this token may not see does not hold up the others.
            return {"refused": str(refused)}


def wanted_by(body: dict[str, Any]) -> Sequence[Wanted]:
    """What to fetch for a thin event; empty for scopes that name nothing of ours."""
    scope, data = body.get("scope"), body.get("data")
    if not isinstance(scope, str) or not isinstance(data, dict):
        return ()
    kind = scope.split("/")
    if kind[1:2] == ["customer"]:
        return _all(Wanted("customer", "/v3/customers", (("id:in", _id(data.get("id"))),)))
    if kind[1:2] == ["shipment"]:
        order, shipment = _id(data.get("orderId")), _id(data.get("id"))
        return _all(
            Wanted("order", f"/v2/orders/{order}"), Wanted("shipment", f"/v2/orders/{order}/shipments/{shipment}")
        )
    if "order" in kind[1:4]:
        order = _id(data.get("id", data.get("order_id")))
        more = [Wanted("refunds", f"/v3/orders/{order}/payment_actions/refunds")] if "refund" in kind else []
        return _all(Wanted("order", f"/v2/orders/{order}"), *more)
    return ()


def _all(*wanted: Wanted) -> Sequence[Wanted]:
    """None of them where an id is missing: an address with a hole would name something else."""
    named = all("//" not in f"{one.path}/" and all(value for _, value in one.parameters) for one in wanted)
    return wanted if named else ()


def _id(value: Any) -> str:
    """BigCommerce's ids are whole numbers; anything else could be a path."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return text if isinstance(text, str) and text.isascii() and text.isdigit() else ""


def _thin(record: Record) -> dict[str, Any] | None:
    """The body of a webhook that asks for something to be fetched. What was fetched names no scope itself."""
    if record.value is None or RAW.encode() not in record.value:
        return None
    try:
        received = _decode_received(decode_event(record.value).data)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
        return None
    if received.source != NAME or received.body is None or received.replays is not None:
        return None
    try:
        body = _decode_body(unpacked(received.body))
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
        return None
    return body if wanted_by(body) else None


def _place(record: Record) -> str:
    return f"{record.partition.number}:{record.offset}"


def _behind(records: Sequence[Record], left: Set[str]) -> Position:
    """In each partition the first that is left, or behind the last one."""
    behind: Position = {}
    held: set[str] = set()
    for record in records:
        number = str(record.partition.number)
        if number not in held:
            behind[number] = record.offset + (_place(record) not in left)
        if _place(record) in left:
            held.add(number)
    return behind


def _named(body: dict[str, Any]) -> str:
    return f"{body['scope']} {_id(body['data'].get('id', body['data'].get('order_id')))}"


def _start(position: Position, number: int, bounds: Bounds) -> int:
    """Where retention has passed the position, or the log is another one, from the log's start."""
    known = position.get(str(number))
    return known if isinstance(known, int) and bounds.start <= known <= bounds.end else bounds.start
