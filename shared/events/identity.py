"""Which fact an event is about, and under which key its record lies: the same for every copy, whenever it is sent."""

from collections.abc import Sequence

from msgspec import Struct

from shared.events.activity import ACTIVITY
from shared.events.envelope import begin_fact, fact_name, fact_names, object_key
from shared.events.feedback import RECEIVED, RETRACTED, UPDATED
from shared.events.rights import ERASE_REQUESTED

FEEDBACK_TYPES = (RECEIVED, UPDATED, RETRACTED)
_KEYED = {name: field for name, (_, field) in ACTIVITY.items()} | {ERASE_REQUESTED: "customer"}
_KEY_BYTES = 4
_FEEDBACK = "feedback"  # no event has this type, so no activity can have the id of a feedback


def feedback_fact(sender: str, source: str, feedback_id: str) -> str:
    """The fact that `feedback_id` names: an answer, all its revisions, and its retraction."""
    return fact_name(sender, source, _FEEDBACK, feedback_id)


def feedback_facts(sender: str, named: Sequence[tuple[str, str]]) -> tuple[list[str], list[bytes]]:
    """The facts, and their records' keys, of many (source, feedback_id): the same as one by one, at half the cost."""
    begun = {source: begin_fact(sender, source, _FEEDBACK) for source in {source for source, _ in named}}
    digests = []
    for source, feedback_id in named:
        digest = begun[source].copy()
        digest.update(feedback_id.encode())
        digests.append(digest.digest())
    return fact_names(digests), [digest[:_KEY_BYTES] for digest in digests]


def activity_fact(sender: str, source: str, event_type: str, event_id: str) -> str:
    return fact_name(sender, source, event_type, event_id)


def feedback_key(fact: str) -> bytes:
    return bytes.fromhex(fact[: 2 * _KEY_BYTES])  # a fact's name is a digest already


def activity_key(event_type: str, data: Struct) -> bytes:
    """The key of the object that `data` is about: everything about one order lies in one partition."""
    field = _KEYED[event_type]
    return object_key(field, getattr(data, field))
