"""What was set aside goes to the log again: a later version may read it, a mended database may take it.

It counts as what comes now, so never twice: whoever has it by now drops it. What fails again is set aside again.
"""

from typing import NamedTuple

from sqlalchemy import Row, text

from shared.consumer.messages import Message, read_record
from shared.db import Database
from shared.events.activity import ACTIVITY
from shared.events.envelope import is_fact_name, object_key
from shared.events.identity import activity_key, feedback_key
from shared.log.port import Log, NewRecord, Partition, Record

_PLACE = ("topic", "incarnation", "partition", "log_offset")
_HAS_LETTERS = text("SELECT to_regclass('dead_letter') IS NOT NULL")
_PAGE = text("""
    SELECT topic, incarnation, partition, log_offset, value FROM dead_letter
    WHERE kind = 'dead_letter' AND value IS NOT NULL
        AND (topic, incarnation, partition, log_offset) > (:topic, :incarnation, :partition, :log_offset)
    ORDER BY topic, incarnation, partition, log_offset LIMIT 100""")
_FORGET = text("""
    DELETE FROM dead_letter
    WHERE topic = :topic AND incarnation = :incarnation AND partition = :partition AND log_offset = :log_offset""")
_Letter = Row[tuple[str, str, int, int, bytes]]


class Retried(NamedTuple):
    """How many letters were sent, cannot be read by this version, and were left by the limit."""

    sent: int
    unreadable: int
    left: int


async def send_again(db: Database, log: Log, limit: int) -> Retried:
    """At most so many: too many that fail again stop the worker. `LogUnavailable`."""
    sent, unreadable, left = 0, 0, 0
    after: dict[str, str | int] = {"topic": "", "incarnation": "", "partition": -1, "log_offset": -1}
    async with db.snapshot() as tx:
        if not (await tx.execute(_HAS_LETTERS)).scalar_one():
            return Retried(0, 0, 0)
    while page := await _page(db, after):
        after = _place(page[-1])
        readable = [(letter, read) for letter in page if isinstance(read := read_record(_record(letter)), Message)]
        chosen = readable[: limit - sent]
        await _send(db, log, chosen)
        sent += len(chosen)
        unreadable += len(page) - len(readable)
        left += len(readable) - len(chosen)
    return Retried(sent, unreadable, left)


async def _page(db: Database, after: dict[str, str | int]) -> list[_Letter]:
    async with db.snapshot() as tx:
        return list(await tx.execute(_PAGE, after))


async def _send(db: Database, log: Log, chosen: list[tuple[_Letter, Message]]) -> None:
    """Forgotten only when they are on the log: after a kill in between they are sent twice."""
    if not chosen:
        return
    await log.append([NewRecord(letter.topic, _key(message), letter.value) for letter, message in chosen])
    async with db.transaction() as tx:
        await tx.execute(_FORGET, [_place(letter) for letter, _ in chosen])


def _record(letter: _Letter) -> Record:
    return Record(Partition(letter.topic, letter.partition), letter.log_offset, b"", letter.value)


def _key(message: Message) -> bytes:
    """Its object's, where the others about that lie, or an answer's own; else one that puts its copies together."""
    event = message.event
    if event.type in ACTIVITY:
        return activity_key(event.type, message.data)
    return feedback_key(event.factid) if is_fact_name(event.factid) else object_key("letter", event.factid)


def _place(letter: _Letter) -> dict[str, str | int]:
    return {name: getattr(letter, name) for name in _PLACE}
