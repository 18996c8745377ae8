"""Values as COPY reads them in PostgreSQL's binary format: the cheapest way into a table for both sides. Pure.

A value is its length and its bytes, a row the number of its values and these. What many rows have in common is packed
once and joined to what is their own.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from operator import attrgetter
from struct import Struct

BEGIN, END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
_COUNT, _LENGTH = Struct(">h").pack, Struct(">i").pack
_INTEGER, _BIGINT, _BOOLEAN = Struct(">ii").pack, Struct(">iq").pack, Struct(">i?").pack
_zone = attrgetter("tzinfo")
_ZERO, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def count(values: int) -> bytes:
    """What a row of so many begins with."""
    return _COUNT(values)


def text(value: str | None) -> bytes:
    if value is None:
        return NULL
    encoded = value.encode()
    return _LENGTH(len(encoded)) + encoded


def integer(value: int | None) -> bytes:
    return NULL if value is None else _INTEGER(4, value)


def bigint(value: int) -> bytes:
    return _BIGINT(8, value)


def boolean(value: bool) -> bytes:
    return _BOOLEAN(1, value)


def instant(value: datetime) -> bytes:
    (moment,) = instants([value])
    return _BIGINT(8, moment)


def instants(moments: Sequence[datetime]) -> list[int]:
    """Microseconds since 2000, without the length.

    Within one zone a difference costs an eighth: nobody has to be asked for offsets. Where those change over the year
    it would be another one, so that only zones of one offset are taken for themselves.
    """
    zones = set(map(_zone, moments))
    zeros = {zone: _ZERO.astimezone(zone) if isinstance(zone, timezone) else _ZERO for zone in zones}
    return [(moment - zeros[moment.tzinfo]) // _MICROSECOND for moment in moments]


def uuids(texts: Iterable[str]) -> list[bytes]:
    """16 bytes each, without the length. All at once: one by one they would cost five times as much."""
    together = bytes.fromhex("".join(texts).replace("-", ""))
    return [together[at : at + 16] for at in range(0, len(together), 16)]
