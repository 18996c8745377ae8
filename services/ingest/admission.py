"""From a sent event to the record that goes on the log, or the reason why not.

The record holds what was validated, not what was sent: unknown fields are gone, the same content has the same bytes.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec import Struct

from services.ingest.json_flaws import are_shallow
from services.ingest.sent_event import (
    AnswerEvent,
    EscapedEvent,
    SentEvent,
    answer_from,
    answers_from,
    explained,
    from_document,
)
from shared.events.catalogue import ACCEPTED_TYPES, ACTIVITY_TOPIC, FEEDBACK_TOPIC, TYPES, EventType
from shared.events.envelope import NewEvent, encode
from shared.events.feedback import RECEIVED, Answer, Retraction
from shared.events.fields import EARLIEST, EventError, check_characters
from shared.events.identity import activity_fact, activity_key, feedback_fact, feedback_facts, feedback_key

_AHEAD = timedelta(hours=24)
_ACCEPTED = frozenset(ACCEPTED_TYPES)


class Admitted(Struct, frozen=True, gc=False):
    """`topic` without its prefix; `fact` is the id that the sender is told."""

    topic: str
    key: bytes
    value: bytes
    fact: str


class AdmittedAnswers(NamedTuple):
    """A batch of them, by its columns: what the senders are told, and the records for `FEEDBACK_TOPIC`."""

    facts: list[str]
    keys: list[bytes]
    values: list[bytes]


def admit_document(
    document: bytes, plain: bool, sender: str, arrival: datetime, traceparent: str | None = None
) -> Admitted:
    """EventError when the event in it cannot be taken. `plain` is what `is_plain` found of the body it came in."""
    answer = answer_from(document) if plain else None
    if answer is None:
        return admit(from_document(document, plain=plain), sender, arrival, traceparent)
    check_time(answer.time, arrival)
    return _admitted(answer, sender, arrival, traceparent)


def admit_answers(
    body: bytes, documents: Sequence[bytes], sender: str, arrival: datetime, traceparent: str | None
) -> AdmittedAnswers | None:
    """All of a plain body's documents, where each is an answer as it should be; else None: one by one tells which.

    Column by column: what is looked at or made for the whole batch costs half of doing so for each event.
    """
    events = answers_from(documents)
    if events is None or not are_shallow(body, documents):
        return None
    times = [event.time or arrival for event in events]
    if min(times) < EARLIEST or max(times) > arrival + _AHEAD:
        return None
    try:
        named = [_named(event) for event in events]
    except EventError:
        return None
    facts, keys = feedback_facts(sender, named)
    values = [
        encode(_event(event, sender, arrival, fact, event.data, traceparent))
        for event, fact in zip(events, facts, strict=True)
    ]
    return AdmittedAnswers(facts, keys, values)


def _named(answer: AnswerEvent) -> tuple[str, str]:
    """Its source, and which feedback it is; EventError."""
    data = answer.data
    data.check()
    if answer.type != RECEIVED:
        _check_names_a_revision(answer, data)
    if data.feedback_id is None:
        data.feedback_id = answer.id
    return answer.source, data.feedback_id


def _admitted(answer: AnswerEvent, sender: str, arrival: datetime, traceparent: str | None) -> Admitted:
    fact = feedback_fact(sender, *_named(answer))
    value = encode(_event(answer, sender, arrival, fact, answer.data, traceparent))
    return Admitted(FEEDBACK_TOPIC, feedback_key(fact), value, fact)


def admit(
    sent: SentEvent, sender: str, arrival: datetime, traceparent: str | None = None, *, beside: Collection[str] = ()
) -> Admitted:
    """EventError when the event cannot be taken. `traceparent` is the request that brought it, where that is traced.

    `beside` are types that may be taken here though no key may send them.
    """
    if sent.specversion != "1.0":
        raise EventError("specversion", "unknown_version", 'must be "1.0"')
    if sent.type not in _ACCEPTED and sent.type not in beside:
        raise EventError("type", "unknown_type", f"is not one of {', '.join(ACCEPTED_TYPES)}")
    check_time(sent.time, arrival)
    kind = TYPES[sent.type]
    data = _decoded(kind, sent)
    fact, key = _IDENTIFIED[kind.topic](sent, sender, data)
    return Admitted(kind.topic, key, encode(_event(sent, sender, arrival, fact, data, traceparent)), fact)


def check_time(time: datetime | None, arrival: datetime) -> None:
    if time is None or (time.year > EARLIEST.year and (time - arrival).days < 1):
        return
    if not EARLIEST <= time <= arrival + _AHEAD:  # near an edge it is worth its price
        raise EventError(
            "time", "out_of_range", "must lie between 1970 and 24 hours from now: check the sender's clock"
        )


def _decoded(kind: EventType, sent: SentEvent) -> Struct:
    try:
        data: Struct = kind.decoder.decode(sent.data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise explained(error, bytes(sent.data), "data", kind.struct) from error
    if isinstance(sent, EscapedEvent):
        check_characters(data, "data")
    if (check := getattr(data, "check", None)) is not None:
        check()
    return data


def _feedback(sent: SentEvent, sender: str, data: Struct) -> tuple[str, bytes]:
    assert isinstance(data, Answer | Retraction)
    if sent.type != RECEIVED:
        _check_names_a_revision(sent, data)
    if data.feedback_id is None:
        data.feedback_id = sent.id
    fact = feedback_fact(sender, sent.source, data.feedback_id)
    return fact, feedback_key(fact)


def _check_names_a_revision(sent: SentEvent | AnswerEvent, data: Answer | Retraction) -> None:
    if data.feedback_id is None:
        raise EventError("data.feedback_id", "missing", f"{sent.type} needs the feedback_id of the answer it changes")
    if sent.revision is None:
        raise EventError("revision", "missing", f"{sent.type} needs a revision of 1 or more")
    if sent.revision < 1:
        raise EventError("revision", "out_of_range", f"must be at least 1 for {sent.type}")


def _activity(sent: SentEvent, sender: str, data: Struct) -> tuple[str, bytes]:
    return activity_fact(sender, sent.source, sent.type, sent.id), activity_key(sent.type, data)


def _event(
    sent: SentEvent | AnswerEvent, sender: str, arrival: datetime, fact: str, data: Struct, traceparent: str | None
) -> NewEvent:
    time, revision = sent.time or arrival, sent.revision or 0
    # In the order of its fields: their names would cost as much as the object.
    return NewEvent("1.0", sent.id, sent.source, sent.type, time, sender, fact, arrival, data, revision, traceparent)


_IDENTIFIED: dict[str, Callable[[SentEvent, str, Struct], tuple[str, bytes]]] = {
    FEEDBACK_TOPIC: _feedback,
    ACTIVITY_TOPIC: _activity,
}
