"""The retraction of an event that a source once made: of an answer, or of anything else. Pure."""

from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct

from services.ingest.admission import Admitted
from shared.events.activity import ACTIVITY_RETRACTED, ActivityRetracted
from shared.events.catalogue import ACTIVITY_TOPIC, FEEDBACK_TOPIC
from shared.events.envelope import NewEvent, content_digest, encode
from shared.events.feedback import RETRACTED, Retraction
from shared.events.identity import FEEDBACK_TYPES
from shared.events.raw import Emitted


class Retracted(NamedTuple):
    """The event as it goes on the log, and how the record of the replay names it."""

    admitted: Admitted
    emitted: Emitted


def retraction(emitted: Emitted, revision: int, sender: str, arrival: datetime) -> Retracted:
    """Of the same fact and record key, at `revision`; its time is the delivery's `arrival`."""
    if emitted.type in FEEDBACK_TYPES:
        return _retracted(emitted, revision, sender, arrival, RETRACTED, Retraction(emitted.name), "retraction")
    data = ActivityRetracted(emitted.type)
    return _retracted(emitted, revision, sender, arrival, ACTIVITY_RETRACTED, data, ACTIVITY_RETRACTED)


def _retracted(
    emitted: Emitted, revision: int, sender: str, arrival: datetime, kind: str, data: Struct, content: str
) -> Retracted:
    event = NewEvent(
        specversion="1.0",
        id=f"{emitted.fact}/{revision}",
        source=emitted.source,
        type=kind,
        time=arrival,
        sender=sender,
        factid=emitted.fact,
        receivedat=arrival,
        data=data,
        revision=revision,
    )
    topic = FEEDBACK_TOPIC if kind == RETRACTED else ACTIVITY_TOPIC
    admitted = Admitted(topic, bytes.fromhex(emitted.key), encode(event), emitted.fact)
    digest = content_digest(content, encode(data)).hex()
    return Retracted(admitted, msgspec.structs.replace(emitted, type=kind, revision=revision, digest=digest))
