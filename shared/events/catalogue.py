"""Which type lies on which topic and which struct reads it: the one list that ingest, consumers and schemas share."""

from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from shared.events.activity import ACTIVITY, ACTIVITY_RETRACTED, ActivityRetracted
from shared.events.feedback import RECEIVED, RETRACTED, UPDATED, Answer, Retraction
from shared.events.followups import FOLLOWUPS
from shared.events.raw import RAW, WebhookReceived
from shared.events.rights import ERASE_REQUESTED, EraseRequested
from shared.events.scores import SCORED, FeedbackScored

FEEDBACK_TOPIC = "feedback"
ACTIVITY_TOPIC = "activity"
SCORES_TOPIC = "scores"
FOLLOWUPS_TOPIC = "followups"
CONFIG_TOPIC = "config"
RAW_TOPIC = "raw"


@dataclass(frozen=True)
class EventType:
    """A type of event: its topic (without prefix), its struct, and a decoder of its `data`."""

    name: str
    topic: str
    struct: type[Struct]
    decoder: "msgspec.json.Decoder[Any]"


def _types() -> dict[str, EventType]:
    listed: list[tuple[str, str, type[Struct]]] = [
        (RECEIVED, FEEDBACK_TOPIC, Answer),
        (UPDATED, FEEDBACK_TOPIC, Answer),
        (RETRACTED, FEEDBACK_TOPIC, Retraction),
        *((name, ACTIVITY_TOPIC, struct) for name, (struct, _) in ACTIVITY.items()),
        (ACTIVITY_RETRACTED, ACTIVITY_TOPIC, ActivityRetracted),
        (ERASE_REQUESTED, ACTIVITY_TOPIC, EraseRequested),
        (SCORED, SCORES_TOPIC, FeedbackScored),
        *((name, FOLLOWUPS_TOPIC, struct) for name, struct in FOLLOWUPS.items()),
        (RAW, RAW_TOPIC, WebhookReceived),
    ]
    return {name: EventType(name, topic, struct, msgspec.json.Decoder(struct)) for name, topic, struct in listed}


TYPES = _types()
ACCEPTED_TYPES = (RECEIVED, UPDATED, RETRACTED, *ACTIVITY)
# What the document of a source may emit beside these, where it names the type itself.
SOURCE_TYPES = (ERASE_REQUESTED,)
