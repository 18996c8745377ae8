"""Records of `petla.raw` as ingest writes them, made by hand."""

from datetime import datetime
from typing import Any

from msgspec import Raw

from shared.events.envelope import Event, encode, fact_name, object_key
from shared.events.raw import RAW, Emitted, WebhookReceived, packed
from shared.log.port import NewRecord
from tests.builders import ANSWERED

BODY = b'{"order": 4711}'


def made(name: str, revision: int = 1, content: str = "2 of 5") -> Emitted:
    """An answer that a delivery made; `content` stands for all that it says."""
    digest = content.encode().ljust(16)[:16].hex()
    return Emitted("feedback.received.v1", "/repairs", name, fact_name("repairs", name), revision, digest, "00000000")


def delivery(name: str, *events: Emitted, at: datetime = ANSWERED, source: str = "repairs", **told: Any) -> NewRecord:
    """A record of its own for each `name`: accepted where it made events, else ignored; or what `told` says."""
    outcome = "accepted" if events else "ignored"
    named: dict[str, Any] = {
        "delivery": name,
        "outcome": outcome,
        "status": 202,
        "reason": None if events else "no_rule",
        "body": packed(BODY),
    } | told
    data = WebhookReceived(source, 1, size=len(BODY), events=list(events), **named)
    fact = fact_name(source, "/webhooks", RAW, name)
    event = Event("1.0", name, f"/webhooks/{source}", RAW, at, source, fact, at, Raw(encode(data)))
    return NewRecord("petla.raw", object_key("webhook", f"{source}\0{name}"), encode(event))


def stranger(name: str, at: datetime = ANSWERED, reason: str = "bad_signature") -> NewRecord:
    return delivery(name, at=at, outcome="rejected", reason=reason, status=401, body=None, delivery="unverified")
