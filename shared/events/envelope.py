"""A record on the log is a CloudEvents 1.0 JSON object; this file says who an event is and how it is written.

Identity never depends on when or how often an event was sent, so a retry is the same event.
"""

import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from shared.events.fields import Instant, Name, Revision

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_BETWEEN_DASHES = struct.Struct("8s4s4s4s12s")
_FACT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Event(Struct, omit_defaults=True, gc=False):
    """`sender` is the source of the API key, `factid` the fact's UUID, `receivedat` when Pętla took it.

    `traceparent` (W3C) is the request that caused it, where traces are recorded; it is no part of the content.
    """

    specversion: str
    id: Name
    source: Name
    type: Name
    time: Instant
    sender: Name
    factid: str
    receivedat: Instant
    data: Raw
    revision: Revision = 0
    traceparent: str | None = None


class NewEvent(Struct, omit_defaults=True, gc=False):
    """An `Event` whose data is still a struct: both are written in one pass."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime
    sender: str
    factid: str
    receivedat: datetime
    data: Struct
    revision: int = 0
    traceparent: str | None = None


_encoder = msgspec.json.Encoder()
encode = _encoder.encode
decode_event = msgspec.json.Decoder(Event).decode


def fact_name(*names: str) -> str:
    """The UUID (version 8: ours) of what is named, as text: no name holds a NUL, so the join is unambiguous.

    Cut from the digest by hand: once for every event, a third of the cost of making a UUID and printing it.
    BLAKE2b is Python's own: short names through OpenSSL's SHA-256 cost ingest some 4 % more.
    """
    digest = hashlib.blake2b("\0".join(names).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"


def begin_fact(*names: str) -> "hashlib.blake2b":
    """The hash of what is named by `names` and one more: for many in a row, to begin anew costs half of the whole."""
    return hashlib.blake2b("\0".join((*names, "")).encode(), digest_size=16)


def fact_names(digests: Sequence[bytes]) -> list[str]:
    """`fact_name` of many whose hashes are there: as one number, and cut where the dashes stand, half as dear."""
    kept, added = _version(len(digests))
    number = int.from_bytes(b"".join(digests), "big") & kept | added
    digits = number.to_bytes(16 * len(digests), "big").hex().encode()
    return [b"-".join(parts).decode() for parts in _BETWEEN_DASHES.iter_unpack(digits)]


@lru_cache(maxsize=64)
def _version(count: int) -> tuple[int, int]:
    """Of so many hashes in a row: the bits that stay, and those that say version 8 and which variant."""
    kept, added = bytearray(b"\xff" * 16), bytearray(16)
    kept[6], added[6] = 0x0F, 0x80
    kept[8], added[8] = 0x3F, 0x80
    return int.from_bytes(kept * count, "big"), int.from_bytes(added * count, "big")


def is_fact_name(text: str) -> bool:
    """Whether it may be shown as an id; a record that somebody else wrote may hold anything."""
    return _FACT.fullmatch(text) is not None


def fact_id(*names: str) -> UUID:
    return UUID(fact_name(*names))


def object_key(kind: str, name: str) -> bytes:
    """The record key: the object's id, hashed, so that no personal data stands in keys; 4 bytes.

    A key only says where a record lies: that two objects share one harms nobody, and short ones are hashed faster.
    """
    return hashlib.blake2b(f"{kind}\0{name}".encode(), digest_size=4).digest()


def content_digest(kind: str, data: Raw | bytes) -> bytes:
    """What tells a duplicate from a conflict: answer or retraction plus the known fields, never the time; 16 bytes.

    `data` is the JSON that ingest wrote: known fields in the struct's order, defaults left out, 3 written as 3.0.
    """
    return content_digests([kind], [data])[0]


def content_digests(kinds: Sequence[str], data: Iterable[Raw | bytes]) -> list[bytes]:
    """Of each. To begin every digest anew would cost a fourth of the whole."""
    begun = {kind: hashlib.blake2b(digest_size=16, person=kind.encode()[:16]) for kind in set(kinds)}
    digests = []
    for kind, one in zip(kinds, data, strict=True):
        digest = begun[kind].copy()
        digest.update(one)
        digests.append(digest.digest())
    return digests
