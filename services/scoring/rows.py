"""From events to what the tables hold. Pure, and run once for every event: cheap calls only."""

from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from services.scoring.metrics.cells import Scale
from services.scoring.metrics.groups import group
from services.scoring.rollups import FEEDBACK_DIMENSIONS, Revision
from shared.consumer.messages import Message
from shared.events.activity import ACTIVITY, ACTIVITY_RETRACTED
from shared.events.envelope import content_digest
from shared.events.feedback import RETRACTED, Answer, tenths
from shared.events.followups import AlertsPosition, event_type

_ATTEMPTS = (event_type("attempted"), event_type("reached"))
_dimensions_of_answer = attrgetter(*(name for name in FEEDBACK_DIMENSIONS if name != "source"))


class Arrival(NamedTuple):
    """A revision of a fact that has arrived; `content` is its digest."""

    id: str
    revision: int
    content: bytes
    message: Message


class Graded(NamedTuple):
    """A score and its scale in tenths, and its group; all None for a comment."""

    score: int | None
    scale_min: int | None
    scale_max: int | None
    group: str | None


def feedback_arrival(message: Message) -> Arrival:
    event = message.event
    kind = "retraction" if event.type == RETRACTED else "answer"
    return Arrival(event.factid, event.revision, content_digest(kind, event.data), message)


def activity_arrival(message: Message) -> Arrival:
    event = message.event
    return Arrival(event.factid, event.revision, content_digest(event.type, event.data), message)


@lru_cache(maxsize=4096)
def _grade(metric: str, score: float | None, low: float | None, high: float | None, direction: str) -> Graded:
    if score is None or low is None or high is None:
        return Graded(None, None, None, None)
    points = tenths(score), tenths(low), tenths(high)
    return Graded(*points, group(metric, points[0], Scale(points[1], points[2], direction)))


def grade(answer: Answer) -> Graded:
    return _grade(answer.metric, answer.score, answer.scale_min, answer.scale_max, answer.direction)


def feedback_row(arrival: Arrival) -> tuple[Any, ...]:
    """In the order of `store.feedback.COLUMNS`."""
    id_, revision, content, message = arrival
    event, answer = message.event, message.data
    known = (id_, revision, content, event.sender, message.record.partition.number, event.time, event.receivedat)
    data = bytes(event.data).decode()
    if event.type == RETRACTED:
        return (*known, data, True, None, None, None, None, None, None)
    return (*known, data, False, answer.metric, answer.direction, *grade(answer))


def revision_of(arrival: Arrival) -> Revision:
    event, answer = arrival.message.event, arrival.message.data
    if event.type == RETRACTED:
        return Revision(event.revision, True, None, None, None, None, None, event.time, ())
    graded = grade(answer)
    dimensions = (*_dimensions_of_answer(answer), event.sender)
    return Revision(
        event.revision,
        False,
        answer.metric,
        graded.score,
        graded.scale_min,
        graded.scale_max,
        answer.direction,
        event.time,
        dimensions,
    )


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
