"""What `petla.config` holds of a source, under `source/NAME`: its document, its version, its secrets sealed.

Versions only rise, also over a deletion: what a document makes is then always newer than what earlier ones made.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from shared.sealing import NotUnsealed, Sealing

PREFIX = "source/"
PURPOSE = "source secret"
# Shopify signs with the old secret for up to an hour; others are retried for a day or two.
KEPT_AFTER_ROTATION = timedelta(hours=48)


class StoredSecret(Struct, omit_defaults=True):
    """`until` is RFC 3339, absent while it is the newest."""

    sealed: str
    until: str | None = None


class StoredSource(Struct, omit_defaults=True):
    """`document` is YAML; without one it is the built-in of this name, or the one that `like` names."""

    version: int = 0
    document: str | None = None
    like: str | None = None
    secrets: list[StoredSecret] = []
    deleted: bool = False
    changed: str = ""


def read(value: dict[str, Any] | None) -> StoredSource | None:
    """None where there is none, or where nobody can read it."""
    if value is None:
        return None
    try:
        return msgspec.convert(value, StoredSource)
    except msgspec.ValidationError:
        return None


def opened(stored: StoredSource, sealing: Sealing, now: datetime) -> tuple[list[str], list[datetime], int]:
    """Secrets in force, when those of them end that do, and how many cannot be read with this PETLA_SECRET."""
    texts: list[str] = []
    ends: list[datetime] = []
    unreadable = 0
    for secret in stored.secrets:
        end = datetime.fromisoformat(secret.until) if secret.until else None
        if end is not None and end <= now:
            continue
        try:
            texts.append(sealing.unseal(PURPOSE, secret.sealed).decode())
        except (NotUnsealed, UnicodeDecodeError):
            unreadable += 1
            continue
        if end is not None:
            ends.append(end)
    return texts, ends, unreadable


def rotated(stored: StoredSource, secret: str, sealing: Sealing, now: datetime) -> list[StoredSecret]:
    """The new one first; the newest of before holds `KEPT_AFTER_ROTATION` longer, older ones as long as they did."""
    end = (now + KEPT_AFTER_ROTATION).isoformat()
    earlier = [
        StoredSecret(old.sealed, old.until or end)
        for old in stored.secrets
        if old.until is None or datetime.fromisoformat(old.until) > now
    ]
    return [StoredSecret(sealing.seal(PURPOSE, secret.encode())), *earlier[:3]]
