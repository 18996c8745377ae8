"""What POST /v1/events answers when something was taken, and how a rejected event is told."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.ingest.admission import Admitted
from services.ingest.splitting import MAX_BATCH_EVENTS
from shared.events.fields import EventError
from shared.log.port import Durability
from shared.problems import problem
from shared.tracing import Attributes

_STATUS = {"not_json": 400, "not_utf8": 400, "too_deep": 400, "too_large": 413, "too_many": 413}
_encode = msgspec.json.Encoder().encode


class Taken(Struct):
    """The answer for one event: `id` is the fact's, the same for every copy."""

    id: str
    durability: Durability


class AcceptedItem(Struct, tag_field="status", tag="accepted"):
    index: int
    id: str
    durability: Durability


class RejectedItem(Struct, tag_field="status", tag="rejected"):
    index: int
    field: str
    code: str
    message: str


class BatchTaken(Struct):
    """`index` counts the events as sent; blank lines of NDJSON are no events."""

    accepted: int
    rejected: int
    items: list[AcceptedItem | RejectedItem]


class Answer:
    """A JSON answer as an ASGI application. Starlette's Response costs several times as much.

    `traced` is what a trace says about it.
    """

    def __init__(self, status: int, body: bytes, traced: Attributes) -> None:
        self.status_code = status
        self.body = body
        self.traced = traced
        self.lines = b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)

    @property
    def raw_headers(self) -> Sequence[tuple[bytes, bytes]]:
        return ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def one(admitted: Admitted, durability: Durability) -> Answer:
    return Answer(202, _encode(Taken(admitted.fact, durability)), {"petla.events": 1, "petla.fact_id": admitted.fact})


def batch(outcomes: Sequence[Admitted | EventError], durability: Durability) -> Answer:
    items = [_item(index, outcome, durability) for index, outcome in enumerate(outcomes)]
    rejected = [type(item) for item in items].count(RejectedItem)
    body = _encode(BatchTaken(len(items) - rejected, rejected, items))
    return Answer(207 if rejected else 202, body, {"petla.events": len(items) - rejected})


def all_taken(facts: Sequence[str], durability: Durability) -> Answer:
    """What `batch` says when nothing was rejected: all but the ids is the same text every time."""
    parts = [""] * (2 * len(facts))
    parts[::2] = _before_ids(durability)[: len(facts)]
    parts[1::2] = facts
    items = "".join(parts) + _after_id(durability)
    body = f'{{"accepted":{len(facts)},"rejected":0,"items":[{items}]}}'.encode()
    return Answer(202, body, {"petla.events": len(facts)})


@lru_cache(maxsize=3)
def _before_ids(durability: Durability) -> list[str]:
    """What stands between the id of the item before and that of each."""
    begun = [f'{{"status":"accepted","index":{index},"id":"' for index in range(MAX_BATCH_EVENTS)]
    return [begun[0], *(f"{_after_id(durability)},{begins}" for begins in begun[1:])]


def _after_id(durability: Durability) -> str:
    return f'","durability":"{durability}"}}'


def none(errors: Sequence[EventError]) -> Response:
    """Of a batch, nothing can be taken: a problem that also has the members of every batch's answer."""
    listed = [mistake(error, index) for index, error in enumerate(errors)]
    items = [_rejected(index, error) for index, error in enumerate(errors)]
    detail = f"none of {len(errors)} events can be taken; the first: {errors[0]}"
    return problem(422, "invalid_event", detail, listed, "Invalid events", accepted=0, rejected=len(items), items=items)


def _item(index: int, outcome: Admitted | EventError, durability: Durability) -> AcceptedItem | RejectedItem:
    if isinstance(outcome, EventError):
        return _rejected(index, outcome)
    return AcceptedItem(index, outcome.fact, durability)


def _rejected(index: int, error: EventError) -> RejectedItem:
    return RejectedItem(index, error.field, error.code, error.message)


def invalid(error: EventError) -> Response:
    """The refusal of one event, or of a body that is no batch."""
    status = _STATUS.get(error.code, 422)
    code, title = ("invalid_event", "Invalid event") if status == 422 else (error.code, None)
    return problem(status, code, str(error), [mistake(error, 0)], title)


def mistake(error: EventError, index: int) -> dict[str, Any]:
    return {"index": index, "field": error.field, "code": error.code, "message": error.message}
