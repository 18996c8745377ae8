"""Records as the door writes them: known fields in their order, defaults left out, the key of what it is about."""

import json
from datetime import UTC, datetime
from typing import Any

from msgspec import Raw

from shared.events.catalogue import TYPES
from shared.events.envelope import Event, encode
from shared.events.identity import FEEDBACK_TYPES, activity_fact, activity_key, feedback_fact, feedback_key
from shared.log.port import NewRecord

ANSWERED = datetime(2026, 11, 20, 10, tzinfo=UTC)
SENDER, SOURCE = "shop", "/survey"
RECEIVED, UPDATED, RETRACTED = FEEDBACK_TYPES


def fact_of(name: str, sender: str = SENDER) -> str:
    """The id that the door answers for the feedback of that name."""
    return feedback_fact(sender, SOURCE, name)


def answer(name: str, score: float | None = 9, revision: int = 0, /, **data: Any) -> NewRecord:
    """An nps answer unless `metric` says otherwise; `time` and `sender` are the event's."""
    known = {"metric": "nps", "score": score, **data}
    return _record(UPDATED if revision else RECEIVED, name, revision, feedback_id=name, **known)


def retraction(name: str, revision: int = 1, /, **data: Any) -> NewRecord:
    return _record(RETRACTED, name, revision, feedback_id=name, **data)


def activity(kind: str, name: str, revision: int = 0, /, **data: Any) -> NewRecord:
    return _record(kind, name, revision, **data)


def session(name: str, revision: int = 0, /, **data: Any) -> NewRecord:
    """The smallest fact there is."""
    return activity("session.ended.v1", name, revision, session_id=name, ordered=False, **data)


def _record(
    kind: str, name: str, revision: int, /, *, time: datetime = ANSWERED, sender: str = SENDER, **fields: Any
) -> NewRecord:
    type_ = TYPES[kind]
    sent = {field: value for field, value in fields.items() if value is not None}
    data = type_.decoder.decode(json.dumps(sent, default=lambda moment: moment.isoformat()))
    if check := getattr(data, "check", None):
        check()
    if kind in FEEDBACK_TYPES:
        fact = fact_of(fields["feedback_id"], sender)
        key = feedback_key(fact)
    else:
        fact = activity_fact(sender, SOURCE, kind, name)
        key = activity_key(kind, data)
    event = Event("1.0", name, SOURCE, kind, time, sender, fact, ANSWERED, Raw(encode(data)), revision)
    return NewRecord(f"petla.{type_.topic}", key, encode(event))
