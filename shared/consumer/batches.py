"""One batch is one transaction: the fence, the effects, the dead letters, the new position. All of it or nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.consumer.leases import LEASE_SECONDS, Held
from shared.consumer.messages import (
    Conflict,
    Handled,
    Item,
    Letter,
    Message,
    Messages,
    Outcomes,
    Subscriptions,
    digest,
    letters_among,
)
from shared.log.port import Partition, Record, Records
from shared.statements import fetch

_DETAIL_CHARACTERS = 1_000
_type = attrgetter("type")

# Where records that can be read are counted as new right away: of nearly all batches that is all there is to count.
# `published` follows what the log has acknowledged; facts recorded since `published_at` may still have to be sent.
_MOVE = f"""
    WITH moved AS (
        UPDATE consumer_offset o SET next_offset = v.next, published = v.expected, published_at = now(),
            last_digest = v.digest, lease_until = clock_timestamp() + interval '{LEASE_SECONDS} s'
        FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[])
            AS v(topic, partition, epoch, expected, next, digest)
        WHERE o.topic = v.topic AND o.partition = v.partition AND o.epoch = v.epoch AND o.next_offset = v.expected
        RETURNING 1),
    counted AS (
        INSERT INTO consumer_tally (topic, partition, outcome, n)
        SELECT v.* FROM unnest($7::text[], $8::integer[], $9::text[], $10::bigint[]) AS v
        WHERE (SELECT count(*) FROM moved) = cardinality($1)
        ON CONFLICT (topic, partition, outcome) DO UPDATE SET n = consumer_tally.n + excluded.n)
    SELECT count(*) FROM moved"""
_COUNT = """
    INSERT INTO consumer_tally (topic, partition, outcome, n)
    SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::bigint[])
    ON CONFLICT (topic, partition, outcome) DO UPDATE SET n = consumer_tally.n + excluded.n"""
_LETTER = text("""
    INSERT INTO dead_letter
        (topic, incarnation, partition, log_offset, kind, reason, detail, id, source, content, value)
    VALUES (:topic, :incarnation, :partition, :log_offset, :kind, :reason, :detail, CAST(:id AS uuid), :source,
        :content, :value)
    ON CONFLICT DO NOTHING""")


class LeaseLost(Exception):  # noqa: N818 - it is what happened to this worker, not a mistake
    """Somebody else reads the partition now, or the position is not what this worker believed: claim again."""


async def commit_batch(
    items: Sequence[Item], held: Mapping[Partition, Held], subscriptions: Subscriptions, tx: AsyncConnection
) -> Handled:
    """Everything a batch changes, inside the caller's transaction. Raises `LeaseLost` when the fence does not hold."""
    letters = letters_among(items)
    read = _read(items, letters)
    await _move_positions(items, read, held, tx)
    handled = await _handle(_messages(items), subscriptions, tx)
    await _set_aside(letters, handled.conflicts, held, tx)
    if known := _known(handled):
        await fetch(tx, _COUNT, *_columns(known))
    handled.outcomes = _total(read, known)
    return handled


def last_records(items: Sequence[Item]) -> dict[Partition, Record]:
    """Of each partition."""
    records, end, last = _records(items), 0, {}
    for partition, count in _runs(records):
        end += count
        last[partition] = records[end - 1]
    return last


def _records(items: Sequence[Item]) -> Records:
    return items.records if isinstance(items, Messages) else Records.of([item.record for item in items])


def _runs(records: Records) -> list[tuple[Partition, int]]:
    """A read finds them partition by partition, so that few need to be looked at."""
    return [(partition, len(list(run))) for partition, run in groupby(records.partitions)]


def _messages(items: Sequence[Item]) -> Messages:
    return items if isinstance(items, Messages) else Messages.of([item for item in items if isinstance(item, Message)])


async def _move_positions(
    items: Sequence[Item], read: Outcomes, held: Mapping[Partition, Held], tx: AsyncConnection
) -> None:
    last = last_records(items)
    owned = [held[partition] for partition in last]
    ((moved,),) = await fetch(
        tx,
        _MOVE,
        [one.partition.topic for one in owned],
        [one.partition.number for one in owned],
        [one.epoch for one in owned],
        [one.expected for one in owned],
        [record.offset + 1 for record in last.values()],
        [digest(record) for record in last.values()],
        *_columns(read),
    )
    if moved != len(last):
        raise LeaseLost(f"{len(last) - moved} of {len(last)} partitions are not this worker's any more")


async def _handle(messages: Messages, subscriptions: Subscriptions, tx: AsyncConnection) -> Handled:
    """Each handler what is for it, in the order in which the batch first names them."""
    chosen = {type_: subscriptions.get(type_) for type_ in dict.fromkeys(map(_type, messages.events))}
    handlers = list(dict.fromkeys(chosen.values()))
    handled = Handled()
    for handler in handlers:
        if handler:
            alone = len(handlers) == 1
            taken = messages if alone else [one for one in messages if chosen[one.event.type] == handler]
            handled.add(await handler(taken, tx))
    return handled


async def _set_aside(
    letters: Sequence[Letter], conflicts: Sequence[Conflict], held: Mapping[Partition, Held], tx: AsyncConnection
) -> None:
    rows = [_letter_row(letter, held) for letter in letters]
    rows += [_conflict_row(conflict, held) for conflict in conflicts]
    if rows:
        await tx.execute(_LETTER, rows)


def _letter_row(letter: Letter, held: Mapping[Partition, Held]) -> dict[str, Any]:
    event = letter.event
    return {
        **_place(letter.record, held),
        "kind": "dead_letter",
        "reason": letter.reason,
        "detail": _storable(letter.detail),
        "id": None,
        "source": event.sender if event else None,
        "content": None,
        "value": letter.record.value,
    }


def _storable(detail: str) -> str:
    """An error may quote what PostgreSQL cannot hold; a letter that cannot be written would hold up its partition."""
    return detail.encode("utf-8", "replace").decode().replace("\0", "�")[:_DETAIL_CHARACTERS]


def _conflict_row(conflict: Conflict, held: Mapping[Partition, Held]) -> dict[str, Any]:
    return {
        **_place(conflict.message.record, held),
        "kind": "conflict",
        "reason": "conflict",
        "detail": conflict.detail,
        "id": conflict.id,
        "source": conflict.message.event.sender,
        "content": conflict.content,
        "value": conflict.message.record.value,
    }


def _place(record: Record, held: Mapping[Partition, Held]) -> dict[str, Any]:
    topic, number = record.partition
    incarnation = held[record.partition].incarnation
    return {"topic": topic, "incarnation": incarnation, "partition": number, "log_offset": record.offset}


def _read(items: Sequence[Item], letters: Sequence[Letter]) -> Outcomes:
    """As if everything that could be read were new."""
    read: Outcomes = Counter()
    for partition, count in _runs(_records(items)):
        read[partition, "new"] += count
    for letter in letters:
        read[letter.record.partition, f"rejected.{letter.reason}"] += 1
        read[letter.record.partition, "new"] -= 1
    return _total(read)


def _known(handled: Handled) -> Outcomes:
    """By how much that changes with what was known already."""
    known: Outcomes = Counter()
    for partition, n in handled.duplicates.items():
        known[partition, "duplicate"] += n
        known[partition, "new"] -= n
    for conflict in handled.conflicts:
        known[conflict.message.record.partition, "conflict"] += 1
        known[conflict.message.record.partition, "new"] -= 1
    return _total(known)


def _total(*counts: Outcomes) -> Outcomes:
    """Without zeros; some may be negative."""
    total: Outcomes = Counter()
    for one in counts:
        total.update(one)
    return Counter({key: n for key, n in total.items() if n})


def _columns(outcomes: Outcomes) -> tuple[list[str], list[int], list[str], list[int]]:
    """Sorted, so that two who meet wait for one another instead of deadlocking."""
    rows = sorted(outcomes.items())
    return (
        [partition.topic for (partition, _), _ in rows],
        [partition.number for (partition, _), _ in rows],
        [outcome for (_, outcome), _ in rows],
        [n for _, n in rows],
    )
