"""The record of a delivery on `petla.raw`: without secrets and signatures, with a body only where it was verified."""

import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from services.ingest.admission import Admitted
from services.ingest.webhooks.judging import Judgement
from services.ingest.webhooks.registry import Source
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.schemes import SHARED, Scheme
from shared.events.catalogue import RAW_TOPIC
from shared.events.envelope import NewEvent, encode, fact_name, object_key
from shared.events.raw import RAW, Outcome, WebhookReceived, packed

_NONE: frozenset[str] = frozenset()
_MOST_HEADERS = 64
_LONGEST_VALUE = 1_000
_LONGEST_URL = 2_000
_LONGEST_MESSAGE = 500
# Credentials, signatures, and where it came from.
_NEVER = (
    "authorization", "cookie", "secret", "token", "password", "api-key", "apikey", "signature", "hmac",
    "access-key", "forwarded", "real-ip", "connecting-ip",
)  # fmt: skip


def record(
    received: WebhookReceived, arrival: datetime, name: str | None = None, traceparent: str | None = None
) -> Admitted:
    """As it goes on the log. `name` is the event's id; without one it is a new one, for every copy that comes in."""
    own = name or os.urandom(16).hex()
    fact = record_fact(received.source, own)
    event = NewEvent(
        specversion="1.0",
        id=own,
        source=f"/webhooks/{received.source}",
        type=RAW,
        time=arrival,
        sender=received.source,
        factid=fact,
        receivedat=arrival,
        data=received,
        traceparent=traceparent,
    )
    key = object_key("webhook", f"{received.source}\0{received.delivery}")
    return Admitted(RAW_TOPIC, key, encode(event), fact)


def record_fact(source: str, name: str) -> str:
    """What a record is known by, also when a person's erasure has taken its name."""
    return fact_name(source, "/webhooks", RAW, name)


def received_of(
    source: Source, request: Request, judgement: Judgement, status: int, replays: str | None = None
) -> WebhookReceived:
    return WebhookReceived(
        source=source.document.name,
        version=source.document.version,
        delivery=judgement.delivery,
        outcome=judgement.outcome,
        status=status,
        size=len(request.body),
        reason=judgement.reason,
        message=kept_message(judgement.mistakes[0]) if judgement.mistakes else None,
        events=[made.emitted for made in judgement.made],
        errors=judgement.errors,
        ignored=judgement.ignored,
        method=request.method,
        url=kept_url(request.url),
        headers=kept_headers(request.headers, source.document.schemes),
        body=kept_body(request.body),
        replays=replays,
    )


def unverified(
    request: Request, source: str, version: int, outcome: Outcome, reason: str, status: int
) -> WebhookReceived:
    """Somebody's, who may be anybody: nothing of what was sent is kept but its size and its method."""
    return WebhookReceived(
        source, version, "unverified", outcome, status, len(request.body), reason, method=request.method
    )


def not_pulled(source: Source, reason: str, sentence: str) -> WebhookReceived:
    """A sender that was asked and gave nothing. `sentence` holds no secret."""
    document = source.document
    message = kept_message(sentence)
    return WebhookReceived(document.name, document.version, "pull", "rejected", 502, 0, reason, message, method="GET")


def kept_headers(headers: Mapping[str, str], schemes: tuple[Scheme, ...]) -> dict[str, str]:
    """Those that a rule may read when the delivery is mapped again."""
    shared = [scheme for scheme in schemes if scheme.kind in SHARED]
    secret = frozenset(name for scheme in shared for name in scheme.headers) if shared else _NONE
    return {name: headers[name][:_LONGEST_VALUE] for name in _kept_names(tuple(headers), secret)}


@lru_cache(maxsize=256)
def _kept_names(names: tuple[str, ...], secret: frozenset[str]) -> tuple[str, ...]:
    """A sender has the same headers every time, in the same order."""
    return tuple(name for name in sorted(names) if name not in secret and _may_be_kept(name))[:_MOST_HEADERS]


@lru_cache(maxsize=1_024)
def _may_be_kept(name: str) -> bool:
    return not any(part in name for part in _NEVER)


def kept_url(url: str) -> str:
    """Without fragment, and without parameters that are named as secrets are."""
    if "?" not in url and "#" not in url:
        return url[:_LONGEST_URL]
    before, mark, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if _may_be_kept(part.partition("=")[0].lower().replace("_", "-"))]
    return (before + mark + "&".join(kept))[:_LONGEST_URL]


def kept_message(sentence: str) -> str:
    return sentence[:_LONGEST_MESSAGE].replace("\0", "")


def kept_body(body: bytes) -> bytes | None:
    return packed(body) if body else None
