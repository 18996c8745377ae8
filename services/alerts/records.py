"""What alerts says on `petla.followups`. Pure.

The id of an event derives from what it is about and its version: sent twice it is the same event, and readers drop it.
"""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from shared.events.envelope import Event, encode, fact_id
from shared.events.followups import (
    POSITION,
    SUPPRESSED,
    AlertsPosition,
    FollowupChanged,
    FollowupSuppressed,
    event_type,
)

# Who acts when no person does, and the sender of every event of this service.
PETLA = "petla"
_SOURCE = "/petla/alerts"

Positions = dict[str, dict[str, int]]


class _Traced(Struct):
    traceparent: str | None = None


_decode_trace = msgspec.json.Decoder(_Traced).decode


def step_event_id(followup_id: UUID, version: int) -> UUID:
    return fact_id("followup_event", str(followup_id), str(version))


def step(kind: str, told: FollowupChanged, traceparent: str | None = None) -> bytes:
    return _event(event_type(kind), step_event_id(UUID(told.followup_id), told.version), told.at, told, traceparent)


def suppression(told: FollowupSuppressed) -> bytes:
    return _event(SUPPRESSED, fact_id("suppression", told.feedback, str(told.version)), told.at, told)


def positions(next_offsets: Positions, at: datetime) -> bytes:
    told = AlertsPosition(next_offsets, at)
    return _event(POSITION, fact_id("position", msgspec.json.encode(told).decode()), at, told)


def told_by(value: bytes) -> FollowupChanged:
    """The data of an event that `step` made."""
    return msgspec.json.decode(msgspec.json.decode(value, type=Event).data, type=FollowupChanged)


def traceparent_of(value: bytes) -> str | None:
    """Of an event that `step` made."""
    return _decode_trace(value).traceparent


def _event(kind: str, id_: UUID, at: datetime, told: Struct, traceparent: str | None = None) -> bytes:
    return encode(
        Event(
            specversion="1.0",
            id=str(id_),
            source=_SOURCE,
            type=kind,
            time=at,
            sender=PETLA,
            factid=str(id_),
            receivedat=at,
            data=Raw(msgspec.json.encode(told)),
            traceparent=traceparent,
        )
    )
