"""Which fact an event is about, and under which key its record lies: the same for every copy, whenever it is sent."""

from msgspec import Struct

from shared.events.activity import ACTIVITY
from shared.events.envelope import fact_name, object_key
from shared.events.feedback import RECEIVED, RETRACTED, UPDATED
from shared.events.rights import ERASE_REQUESTED

FEEDBACK_TYPES = (RECEIVED, UPDATED, RETRACTED)
_KEYED = {name: field for name, (_, field) in ACTIVITY.items()} | {ERASE_REQUESTED: "customer"}
_FEEDBACK = "feedback"  # no event has this type, so no activity can have the id of a feedback


def feedback_fact(sender: str, source: str, feedback_id: str) -> str:
    """The fact that `feedback_id` names: an answer, all its revisions, and its retraction."""
    return fact_name(sender, source, _FEEDBACK, feedback_id)


def activity_fact(sender: str, source: str, event_type: str, event_id: str) -> str:
    return fact_name(sender, source, event_type, event_id)


def feedback_key(fact: str) -> bytes:
    return bytes.fromhex(fact[:8])  # a fact's name is a digest already


def activity_key(event_type: str, data: Struct) -> bytes:
    """The key of the object that `data` is about: everything about one order lies in one partition."""
    field = _KEYED[event_type]
    return object_key(field, getattr(data, field))
