"""`petla.raw`: what came to a source's door, as it came, and what became of it.

Written by ingest, read by scoring, and by ingest itself to map or to fetch again. A record goes on the log with
the events it made, before the sender is answered. Secrets and signatures never do; a body only where it was shown to
be the sender's.
"""

import zlib
from typing import Annotated, Literal

from isal import isal_zlib
from msgspec import Meta, Struct

from shared.events.fields import Name, Revision, Text

RAW = "webhook.received.v1"
Outcome = Literal["accepted", "ignored", "rejected", "handshake"]
_Count = Annotated[int, Meta(ge=0)]
_LARGEST_BODY = 16 * 1024 * 1024


class Emitted(Struct, omit_defaults=True, gc=False):
    """An event that a delivery made. `name` is its feedback_id, or its id.

    In hex: `digest` of its content, `key` of its record.
    """

    type: Name
    source: Name
    name: Name
    fact: Name
    revision: Revision
    digest: Name
    key: Name


class WebhookReceived(Struct, omit_defaults=True):
    """`delivery` is the same in each copy that the sender sends; the event's id is not.

    `outcome` accepted: at least one event was made. `reason` says why none was, or what was at fault; `errors` and
    `ignored` count by reason what of it made none. `status` is what the sender was answered. `body` is compressed by
    zlib. `replays` names the event of an earlier record that was mapped again: nothing came in then.
    """

    source: Name
    version: Annotated[int, Meta(ge=1, le=999)]
    delivery: Name
    outcome: Outcome
    status: Annotated[int, Meta(ge=100, le=599)]
    size: _Count
    reason: Name | None = None
    message: Text | None = None
    events: list[Emitted] = []
    errors: dict[str, _Count] = {}
    ignored: dict[str, _Count] = {}
    method: Name = "POST"
    url: Text = ""
    headers: dict[str, str] = {}
    body: bytes | None = None
    replays: Name | None = None


def packed(body: bytes) -> bytes:
    """No larger than zlib makes it, in a third of the time; reading it takes no more than zlib."""
    return isal_zlib.compress(body, 1)  # level 0 takes half of that, but makes more of what is not English JSON


def unpacked(body: bytes) -> bytes:
    """Raises ValueError for what `packed` did not make, or what would be larger than any body is."""
    opened = zlib.decompressobj()
    try:
        content = opened.decompress(body, _LARGEST_BODY)
    except zlib.error as error:
        raise ValueError(f"not compressed as bodies are: {error}") from error
    if not opened.eof:
        raise ValueError("not compressed as bodies are: the end is missing")
    return content
