"""Which topics there are: who writes and reads them, what a record's key is, and how long a record stays."""

from typing import NamedTuple

from shared.events.catalogue import (
    ACTIVITY_TOPIC,
    CONFIG_TOPIC,
    FEEDBACK_TOPIC,
    FOLLOWUPS_TOPIC,
    RAW_TOPIC,
    SCORES_TOPIC,
)

DEFAULT_PREFIX = "petla."
DEFAULT_PARTITIONS = 12
_WEEK_HOURS = 7 * 24
_MONTH_HOURS = 30 * 24
_HASH = "4 bytes: the hash of the {}, so that no personal data stands in keys and copies of a fact lie together"


class TopicKind(NamedTuple):
    """`name` without the deployment's prefix; `partitions` None: as many as are configured.

    `retention_hours` None keeps for ever: facts are the memory, the log is the way there.
    """

    name: str
    about: str
    key: str
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    retention_hours: int | None = _WEEK_HOURS
    compacted: bool = False
    partitions: int | None = None


TOPICS = (
    TopicKind(
        FEEDBACK_TOPIC,
        "Answers of customers: given, changed, retracted",
        _HASH.format("feedback's id"),
        written_by=("ingest",),
        read_by=("scoring",),
    ),
    TopicKind(
        ACTIVITY_TOPIC,
        "What happened around customers: orders, deliveries, returns, contacts, calls, sessions, invitations",
        _HASH.format("id of the object that it is about"),
        written_by=("ingest",),
        read_by=("scoring", "alerts"),
    ),
    TopicKind(
        SCORES_TOPIC,
        "What scoring says of every new current revision of an answer",
        _HASH.format("feedback's id"),
        written_by=("scoring",),
        read_by=("alerts",),
    ),
    TopicKind(
        FOLLOWUPS_TOPIC,
        "What becomes of everyone who was let down, and how far alerts has read",
        _HASH.format("follow-up's id, or of the feedback where there is none"),
        written_by=("alerts",),
        read_by=("scoring",),
    ),
    TopicKind(
        RAW_TOPIC,
        "What came to the doors of sources, as it came, and what became of it: kept so that it can be mapped again",
        _HASH.format("source's name and of what names the delivery"),
        written_by=("ingest",),
        read_by=("scoring", "ingest"),
        retention_hours=_MONTH_HOURS,
    ),
    TopicKind(
        CONFIG_TOPIC,
        "Configuration: the newest record of a key is in force, one without a value deletes it",
        "what it configures, like key/k7f3",
        written_by=("commands", "ingest", "scoring", "alerts"),
        read_by=("ingest", "scoring", "alerts"),
        retention_hours=None,
        compacted=True,
        partitions=1,
    ),
)
