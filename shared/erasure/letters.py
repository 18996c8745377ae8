"""Records that were set aside hold what was sent, so they lose it with the person; that they came is still counted."""

from base64 import b64decode
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.erasure import rows
from shared.erasure.belongings import Belongings, of_delivery, owners
from shared.erasure.marks import Marks
from shared.erasure.names import Names
from shared.events.raw import unpacked

_DETAIL = "what was sent was erased with the person it belonged to"
_PAGE = text("""
    SELECT topic, incarnation, partition, log_offset, CAST(id AS text), content, value, detail FROM dead_letter
    WHERE value IS NOT NULL
        AND (topic, incarnation, partition, log_offset) > (:topic, :incarnation, :partition, :log_offset)
    ORDER BY topic, incarnation, partition, log_offset LIMIT 500""")
_EMPTY = text("""
    UPDATE dead_letter SET value = NULL, detail = :detail, content = :content
    WHERE topic = :topic AND incarnation = :incarnation AND partition = :partition AND log_offset = :log_offset""")
_PLACE = ("topic", "incarnation", "partition", "log_offset")
_decode = msgspec.json.Decoder().decode


class _Loose:
    """The data of a record that may be anything, asked like an event."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def __getattr__(self, name: str) -> str | None:
        value = self._fields.get(name)
        return value if isinstance(value, str) else None


async def empty(names: Names, belongings: Belongings, marks: Marks, tx: AsyncConnection) -> int:
    """Those about the person's facts, those that name what was erased, and those that quote one of the marks."""
    emptied, after = 0, dict.fromkeys(_PLACE, "") | {"partition": -1, "log_offset": -1}
    while page := (await tx.execute(_PAGE, after)).all():
        digests = {place: _digests(names, row.value) for place, row in enumerate(page)}
        known = await rows.find({one for each in digests.values() for one in each}, tx)
        for at, row in enumerate(page):
            erased = row.id in belongings.facts or any(one in known for one in digests[at])
            if erased or marks.found_in(_content(row.value)) or marks.found_in(row.detail.encode()):
                place = {name: getattr(row, name) for name in _PLACE}
                content = None if row.content is None else names.content(row.content)
                await tx.execute(_EMPTY, {"detail": _DETAIL, "content": content, **place})
                emptied += 1
        after = {name: getattr(page[-1], name) for name in _PLACE}
    return emptied


def _digests(names: Names, value: bytes | None) -> Collection[bytes]:
    """Of everything that the record names, as far as it can be read."""
    try:
        record = _decode(value or b"")
        data = record["data"]
        customer, sender = data.get("customer"), record.get("sender", "")
        found = {names.digest("fact", str(record.get("factid")))}
        events = [(str(event.get("fact")), str(event.get("key"))) for event in data.get("events", ())]
        found |= {names.digest(*owner) for owner in of_delivery(events)}
        if isinstance(customer, str):
            return {*found, names.customer(customer)}
        return {*found, *(names.digest(*owner) for owner in owners(_Loose(data), str(sender)))}
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _content(value: bytes) -> bytes:
    """What was sent; of a delivery, the body that is compressed in it too."""
    try:
        return value + unpacked(b64decode(_decode(value)["data"]["body"]))
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, RecursionError):
        return value
