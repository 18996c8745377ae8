"""From events to what the tables hold. Pure, and run once for every event: cheap calls only."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import starmap
from operator import add, attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from services.scoring.lines import BETWEEN, cell
from services.scoring.metrics.cells import Scale
from services.scoring.metrics.groups import group
from services.scoring.rollups import FEEDBACK_DIMENSIONS, Graded
from shared.consumer.messages import Message
from shared.events.activity import ACTIVITY, ACTIVITY_RETRACTED
from shared.events.envelope import content_digest
from shared.events.feedback import RETRACTED, Answer, tenths
from shared.events.followups import AlertsPosition, event_type

_fact, _revision, _sender = attrgetter("factid"), attrgetter("revision"), attrgetter("sender")
_time, _received_at = attrgetter("time"), attrgetter("receivedat")
_scored = attrgetter("metric", "score", "scale_min", "scale_max", "direction")
# In place of an answer that was taken back: nothing is known of it.
_TAKEN_BACK: Any = Answer(metric=None, direction=None)  # type: ignore[arg-type]
_ATTEMPTS = (event_type("attempted"), event_type("reached"))
_dimensions = attrgetter(*(name for name in FEEDBACK_DIMENSIONS if name != "source"))


class Arrival(NamedTuple):
    """A revision of a fact that has arrived; `content` is its digest."""

    id: str
    revision: int
    content: bytes
    message: Message


class Revisions(NamedTuple):
    """A column each of what `Revision` is a row of."""

    revision: Sequence[int]
    retracted: Sequence[bool]
    graded: Sequence[Graded]
    time: Sequence[float]
    dimensions: Sequence[tuple[str | None, ...]]


def writer(messages: Sequence[Message]) -> int:
    """Which partition's cells a batch changes: one that it has read from, so that nobody else can be writing them."""
    return min({message.record.partition.number for message in messages})


def feedback_arrivals(messages: Sequence[Message]) -> list[Arrival]:
    events = [message.event for message in messages]
    contents = [content_digest("retraction" if one.type == RETRACTED else "answer", one.data) for one in events]
    return list(map(Arrival._make, zip(map(_fact, events), map(_revision, events), contents, messages, strict=True)))


def activity_arrival(message: Message) -> Arrival:
    event = message.event
    return Arrival(event.factid, event.revision, content_digest(event.type, event.data), message)


@lru_cache(maxsize=4096)
def _grade(metric: str, score: float | None, low: float | None, high: float | None, direction: str) -> Graded:
    if score is None or low is None or high is None:
        return Graded(metric, direction, None, None, None, None)
    points = tenths(score), tenths(low), tenths(high)
    return Graded(metric, direction, *points, group(metric, points[0], Scale(points[1], points[2], direction)))


def revisions_of(arrivals: Sequence[Arrival]) -> Revisions:
    """Column by column: row by row would cost three times as much."""
    events = [arrival.message.event for arrival in arrivals]
    told = [arrival.message.data for arrival in arrivals]
    answers = [one if type(one) is Answer else _TAKEN_BACK for one in told]
    return Revisions(
        list(map(_revision, arrivals)),
        [answer is _TAKEN_BACK for answer in answers],
        list(starmap(_grade, map(_scored, answers))),
        [time.timestamp() for time in map(_time, events)],
        list(map(add, map(_dimensions, answers), zip(map(_sender, events), strict=False))),
    )


def feedback_beginnings(arrivals: Sequence[Arrival], known: Revisions) -> list[str]:
    """All but the data, in the order of `store.feedback.COLUMNS`."""
    events = [arrival.message.event for arrival in arrivals]
    places = [arrival.message.record.partition.number for arrival in arrivals]
    columns = (
        map(_fact, events),
        [rf"\x{arrival.content.hex()}" for arrival in arrivals],
        _texts(list(map(_time, events))),
        _texts(list(map(_received_at, events))),
        map(_in_common, map(_sender, events), places, known.revision, known.retracted, known.graded),
    )
    return list(map(BETWEEN.join, zip(*columns, strict=True)))


@lru_cache(maxsize=16_384)
def _in_common(sender: str, partition: int, revision: int, retracted: bool, graded: Graded) -> str:
    """Of the cells of a row, those that many rows have in common."""
    return BETWEEN.join(map(cell, (sender, partition, revision, retracted, *graded)))


def _texts(moments: list[datetime]) -> list[str]:
    """All at once: one by one they would cost five times as much."""
    return msgspec.json.encode(moments)[2:-2].decode().split('","')


def activity_row(arrival: Arrival) -> tuple[Any, ...]:
    """In the order of `store.activity.COLUMNS`."""
    event = arrival.message.event
    return (
        arrival.id,
        arrival.revision,
        arrival.content,
        event.type,
        event.sender,
        _object(arrival.message),
        bytes(event.data).decode(),
        event.time,
        event.receivedat,
        arrival.message.record.partition.number,
    )


def _object(message: Message) -> str:
    """What the event is about; of a fact that is none after all, only the fact is known."""
    if message.event.type == ACTIVITY_RETRACTED:
        return message.event.factid
    return str(getattr(message.data, ACTIVITY[message.event.type][1]))


def type_of_fact(message: Message) -> str:
    """Also of a retraction."""
    return message.data.retracts if message.event.type == ACTIVITY_RETRACTED else message.event.type


class Step(NamedTuple):
    """One event of a follow-up. A `…_version` is 0 unless the event says what follows it."""

    id: UUID
    feedback: UUID
    version: int
    state: str
    first_attempt_at: Any
    opened_version: int
    opened_at: Any
    priority: str | None
    metric: str | None
    score: int | None
    scale_max: int | None
    due_version: int
    first_attempt_due: Any


def step(message: Message) -> Step:
    told, kind = message.data, message.event.type
    opened = kind == event_type("opened")
    return Step(
        id=UUID(told.followup_id),
        feedback=UUID(told.feedback),
        version=told.version,
        state=told.state,
        first_attempt_at=told.at if kind in _ATTEMPTS else None,
        opened_version=told.version if opened else 0,
        opened_at=told.at if opened else None,
        priority=told.priority if opened else None,
        metric=told.metric if opened else None,
        score=tenths(told.score) if opened and told.score is not None else None,
        scale_max=tenths(told.scale_max) if opened and told.scale_max is not None else None,
        due_version=told.version if told.first_attempt_due else 0,
        first_attempt_due=told.first_attempt_due,
    )


def suppression_row(message: Message) -> tuple[UUID, int, str, UUID | None, Any]:
    told = message.data
    return UUID(told.feedback), told.version, told.reason, UUID(told.followup_id) if told.followup_id else None, told.at


def position_rows(told: AlertsPosition) -> list[tuple[str, int, int, Any]]:
    return [
        (topic, int(number), next_offset, told.at)
        for topic, numbers in told.positions.items()
        for number, next_offset in numbers.items()
    ]
