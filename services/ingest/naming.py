"""What the log says of a rejected event: which fact it would have been, and the field, if it is one of ours. Pure.

The fact's id is a hash, and a field's name is the sender's own where we do not know it: the log names no person.
"""

import msgspec
from msgspec import Raw, Struct

from services.ingest.sent_event import SentEvent
from shared.events.catalogue import TYPES
from shared.events.identity import FEEDBACK_TYPES, activity_fact, feedback_fact


class _Named(Struct):
    id: str
    source: str
    type: str
    data: Raw


class _Answer(Struct):
    feedback_id: str | None = None


_ATTRIBUTES = ("event", "specversion", "id", "source", "type", "time", "revision", "data")
_KNOWN = frozenset(_ATTRIBUTES) | {f"data.{name}" for kind in TYPES.values() for name in kind.struct.__struct_fields__}
_decode = msgspec.json.Decoder(_Named).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode


def fact_in(document: bytes, sender: str) -> str | None:
    """None where the document does not say."""
    try:
        return fact_of(_decode(document), sender)
    except (ValueError, RecursionError):
        return None


def fact_of(event: SentEvent | _Named, sender: str) -> str | None:
    try:
        if event.type not in FEEDBACK_TYPES:
            return activity_fact(sender, event.source, event.type, event.id)
        return feedback_fact(sender, event.source, _decode_answer(event.data).feedback_id or event.id)
    except (ValueError, RecursionError):
        return None


def known_field(name: str) -> str | None:
    return name if name in _KNOWN else None
