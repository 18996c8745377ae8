"""From events to what the tables hold. Pure, and run once for every event: cheap calls only."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, repeat, starmap
from operator import attrgetter, itemgetter
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Raw

from services.scoring import binary
from services.scoring.metrics.cells import Scale
from services.scoring.metrics.groups import group
from services.scoring.rollups import FEEDBACK_DIMENSIONS, Alike, Graded, Revision
from shared.consumer.messages import Message, Messages
from shared.events.activity import ACTIVITY, ACTIVITY_RETRACTED
from shared.events.envelope import content_digest, content_digests
from shared.events.feedback import RETRACTED, Answer, tenths
from shared.events.followups import AlertsPosition, event_type

_fact, _revision, _sender = attrgetter("factid"), attrgetter("revision"), attrgetter("sender")
_time, _received_at, _data = attrgetter("time"), attrgetter("receivedat"), attrgetter("data")
_type, _number = attrgetter("type"), itemgetter(1)  # of an event, of a partition
_shared = attrgetter(
    "metric", "score", "scale_min", "scale_max", "direction",
    *(name for name in FEEDBACK_DIMENSIONS if name != "source"),
)  # fmt: skip
# In place of an answer that was taken back: nothing is known of it.
_TAKEN_BACK: Any = Answer(metric=None, direction=None)  # type: ignore[arg-type]
_ATTEMPTS = (event_type("attempted"), event_type("reached"))


class Arrival(NamedTuple):
    """A revision of a fact that has arrived; `content` is its digest."""

    id: str
    revision: int
    content: bytes
    message: Message


class Arrivals(NamedTuple):
    """The same, a column each: row by row would cost three times as much."""

    id: Sequence[str]
    revision: Sequence[int]
    content: Sequence[bytes]
    messages: Messages

    @classmethod
    def of(cls, arrivals: Sequence[Arrival]) -> "Arrivals":
        ids, revisions, contents, messages = zip(*arrivals, strict=True)
        return cls(ids, revisions, contents, Messages.of(messages))

    def rows(self) -> list[Arrival]:
        return list(map(Arrival._make, zip(*self, strict=True)))


class Answers(NamedTuple):
    """Feedback as the fact table and the rollups take it, a column each; `moment` in microseconds since 2000."""

    alike: Sequence[Alike]
    sender: Sequence[str]
    moment: Sequence[int]


def writer(messages: Sequence[Message]) -> int:
    """Which partition's cells a batch changes: one that it has read from, so that nobody else can be writing them."""
    return min(partition.number for partition in set(Messages.of(messages).records.partitions))


def feedback_arrivals(messages: Messages) -> Arrivals:
    events = messages.events
    kinds = ["retraction" if type_ == RETRACTED else "answer" for type_ in map(_type, events)]
    return Arrivals(
        list(map(_fact, events)),
        list(map(_revision, events)),
        content_digests(kinds, map(_data, events)),
        messages,
    )


def activity_arrival(message: Message) -> Arrival:
    event = message.event
    return Arrival(event.factid, event.revision, content_digest(event.type, event.data), message)


@lru_cache(maxsize=16_384)
def _alike(
    metric: str, score: float | None, low: float | None, high: float | None, direction: str, *dimensions: str | None
) -> Alike:
    if score is None or low is None or high is None:
        return Alike(Graded(metric, direction, None, None, None, None), dimensions)
    points = tenths(score), tenths(low), tenths(high)
    name = group(metric, points[0], Scale(points[1], points[2], direction))
    return Alike(Graded(metric, direction, *points, name), dimensions)


def answers_of(arrivals: Arrivals) -> Answers:
    events = arrivals.messages.events
    answers = [one if type(one) is Answer else _TAKEN_BACK for one in arrivals.messages.data]
    return Answers(
        list(starmap(_alike, map(_shared, answers))),
        list(map(_sender, events)),
        binary.instants(list(map(_time, events))),
    )


def revisions_of(arrivals: Arrivals, answers: Answers) -> Iterator[Revision]:
    for revision, event, alike, sender in zip(
        arrivals.revision, arrivals.messages.events, answers.alike, answers.sender, strict=True
    ):
        time = event.time.timestamp()
        yield Revision(revision, alike.graded.metric is None, alike.graded, time, (*alike.dimensions, sender))


# Everything before the document but what many rows have in common. The last one is the version of a jsonb.
_own = Struct(">i16s i16s iq iq iB".replace(" ", "")).pack


def feedback_rows(
    arrivals: Arrivals, answers: Answers, superseded: Iterable[bytes] = repeat(binary.NULL)
) -> Iterator[bytes | Raw]:
    """As `binary` has them, in the order of `store.feedback.COLUMNS`; in pieces, of which the document is one."""
    events = arrivals.messages.events
    partitions = map(_number, arrivals.messages.records.partitions)
    documents = list(map(_data, events))
    common = map(_in_common, superseded, answers.sender, partitions, arrivals.revision, answers.alike)
    own = map(
        _own,
        repeat(16),
        binary.uuids(arrivals.id),
        repeat(16),
        arrivals.content,
        repeat(8),
        answers.moment,
        repeat(8),
        binary.instants(list(map(_received_at, events))),
        [len(document) + 1 for document in documents],
        repeat(1),
    )
    return chain.from_iterable(zip(common, own, documents, strict=False))


@lru_cache(maxsize=16_384)
def _in_common(superseded: bytes, sender: str, partition: int, revision: int, alike: Alike) -> bytes:
    metric, direction, score, low, high, name = alike.graded
    values = (
        superseded,
        binary.text(sender),
        binary.integer(partition),
        binary.bigint(revision),
        binary.boolean(metric is None),
        binary.text(metric),
        binary.text(direction),
        *map(binary.integer, (score, low, high)),
        binary.text(name),
    )
    return binary.count(len(values) + 5) + b"".join(values)


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
