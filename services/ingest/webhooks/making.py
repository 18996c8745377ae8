"""An event as a rule made it, admitted as if its sender had sent it here, and named as its record does. Pure.

The events' revision is 1,000 × the sender's + the document's version, so that what is made by a mended document is
newer, and never newer than the sender's next change.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from services.ingest.admission import Admitted, admit, check_time
from services.ingest.json_flaws import check_depth
from services.ingest.mapping.document import STEPS
from services.ingest.sent_event import MAX_EVENT_BYTES, Attributes, SentEvent, from_document
from services.ingest.webhooks.document import SourceDocument
from shared.events.activity import ACTIVITY
from shared.events.catalogue import ACTIVITY_TOPIC, SOURCE_TYPES, TYPES
from shared.events.envelope import Event, content_digest, encode
from shared.events.feedback import RETRACTED
from shared.events.fields import EventError, may_hold_controls
from shared.events.identity import FEEDBACK_TYPES, activity_fact, activity_key
from shared.events.raw import Emitted

_LARGEST_REVISION = (2**53 - 1) // STEPS - 1


class Made(NamedTuple):
    """An event as it goes on the log, and how the record of the delivery names it."""

    admitted: Admitted
    emitted: Emitted
    event: dict[str, Any]


def make(event: dict[str, Any], document: SourceDocument, arrival: datetime, traceparent: str | None = None) -> Made:
    """`event` with the sender's revision. Raises `EventError`."""
    revision = revised(event.get("revision", 0), document.version)
    return at_revision(event, revision, document.name, arrival, traceparent)


def at_revision(
    event: dict[str, Any], revision: int, sender: str, arrival: datetime, traceparent: str | None = None
) -> Made:
    """The same event with another revision, as it stands on the log. Raises `EventError`."""
    numbered = {**event, "revision": revision}
    try:
        document = encode(numbered)
    except (OverflowError, ValueError, TypeError, RecursionError) as error:
        raise EventError("event", "unusable", "holds a value that no event can hold") from error
    activity = _activity(document, event["type"], sender, arrival, traceparent)
    if activity is not None:
        return Made(*activity, numbered)
    sent = from_document(document)
    admitted = admit(sent, sender, arrival, traceparent, beside=SOURCE_TYPES)
    return Made(admitted, _emitted(sent, admitted), numbered)


def revised(revision: Any, version: int) -> int:
    """Raises `EventError`."""
    if isinstance(revision, bool) or not isinstance(revision, int):
        raise EventError("revision", "wrong_type", "must be a whole number: milliseconds(…) makes one of a time")
    if not 0 <= revision <= _LARGEST_REVISION:
        raise EventError("revision", "out_of_range", f"must lie between 0 and {_LARGEST_REVISION}")
    return revision * STEPS + version


def senders_revision(revision: int) -> int:
    return revision // STEPS


def _activity(
    document: bytes, kind: str, sender: str, arrival: datetime, traceparent: str | None
) -> tuple[Admitted, Emitted] | None:
    """In one pass, at half the price of admission, which says what is wrong where this gives None."""
    decode = _DECODERS.get(kind)
    if decode is None or len(document) > MAX_EVENT_BYTES or may_hold_controls(document):
        return None
    try:
        sent = decode(document)
        check_depth(document)
        check_time(sent.time, arrival)
        if (check := getattr(sent.data, "check", None)) is not None:
            check()
    except (msgspec.DecodeError, RecursionError, EventError):
        return None
    name, source, revision, time = sent.id, sent.source, sent.revision, sent.time or arrival
    data = encode(sent.data)
    fact, key = activity_fact(sender, source, kind, name), activity_key(kind, sent.data)
    event = Event("1.0", name, source, kind, time, sender, fact, arrival, Raw(data), revision, traceparent)
    digest = content_digest(kind, data).hex()
    emitted = Emitted(kind, source, name, fact, revision, digest, key.hex())
    return Admitted(ACTIVITY_TOPIC, key, encode(event), fact), emitted


def _decoder(kind: str) -> Callable[[bytes], Any]:
    """Of a whole event of this type."""
    struct = msgspec.defstruct("Activity", [("data", TYPES[kind].struct)], bases=(Attributes,), kw_only=True, gc=False)
    return msgspec.json.Decoder(struct).decode


def _emitted(sent: SentEvent, admitted: Admitted) -> Emitted:
    record = _on_the_log(admitted.value)
    name = record.data_name if sent.type in FEEDBACK_TYPES else sent.id
    kind = "retraction" if sent.type == RETRACTED else "answer" if sent.type in FEEDBACK_TYPES else sent.type
    digest = content_digest(kind, record.data).hex()
    return Emitted(
        sent.type, sent.source, name or sent.id, admitted.fact, sent.revision or 0, digest, admitted.key.hex()
    )


class _Recorded(Struct):
    data: Raw

    @property
    def data_name(self) -> str | None:
        return _decode_named(self.data).feedback_id


class _Named(Struct):
    feedback_id: str | None = None


_on_the_log = msgspec.json.Decoder(_Recorded).decode
_decode_named = msgspec.json.Decoder(_Named).decode
_DECODERS = {kind: _decoder(kind) for kind in (*ACTIVITY, *SOURCE_TYPES)}
