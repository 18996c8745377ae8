"""One batch is one transaction: the fence, the effects, the dead letters, the new position. All of it or nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.consumer.leases import LEASE_SECONDS, Held
from shared.consumer.messages import Conflict, Handled, Item, Letter, Message, Outcomes, Subscriptions, digest
from shared.log.port import Partition, Record

_DETAIL_CHARACTERS = 1_000
_record_of = attrgetter("record")
_partition_of = attrgetter("record.partition")
_type_of = attrgetter("event.type")

# `published` follows what the log has acknowledged; facts recorded since `published_at` may still have to be sent.
_FENCE = text(f"""
    UPDATE consumer_offset o SET next_offset = v.next, published = v.expected, published_at = now(),
        last_digest = v.digest, lease_until = clock_timestamp() + interval '{LEASE_SECONDS} s'
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:epochs AS bigint[]),
        CAST(:expected AS bigint[]), CAST(:next AS bigint[]), CAST(:digests AS bytea[]))
        AS v(topic, partition, epoch, expected, next, digest)
    WHERE o.topic = v.topic AND o.partition = v.partition AND o.epoch = v.epoch AND o.next_offset = v.expected""")
_TALLY = text("""
    INSERT INTO consumer_tally (topic, partition, outcome, n)
    SELECT * FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]), CAST(:outcomes AS text[]),
        CAST(:counts AS bigint[]))
    ON CONFLICT (topic, partition, outcome) DO UPDATE SET n = consumer_tally.n + excluded.n""")
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
    await _move_positions(items, held, tx)
    handled = await _handle([item for item in items if isinstance(item, Message)], subscriptions, tx)
    await _set_aside(items, handled.conflicts, held, tx)
    handled.outcomes = _outcomes(items, handled)
    await _count(handled.outcomes, tx)
    return handled


def last_records(items: Sequence[Item]) -> dict[Partition, Record]:
    return dict(zip(map(_partition_of, items), map(_record_of, items), strict=True))


async def _move_positions(items: Sequence[Item], held: Mapping[Partition, Held], tx: AsyncConnection) -> None:
    last = last_records(items)
    owned = [held[partition] for partition in last]
    moved = await tx.execute(
        _FENCE,
        {
            "topics": [one.partition.topic for one in owned],
            "partitions": [one.partition.number for one in owned],
            "epochs": [one.epoch for one in owned],
            "expected": [one.expected for one in owned],
            "next": [record.offset + 1 for record in last.values()],
            "digests": [digest(record) for record in last.values()],
        },
    )
    if moved.rowcount != len(last):
        raise LeaseLost(f"{len(last) - moved.rowcount} of {len(last)} partitions are not this worker's any more")


async def _handle(messages: Sequence[Message], subscriptions: Subscriptions, tx: AsyncConnection) -> Handled:
    """Each handler what is for it, in the order in which the batch first names them."""
    chosen = {type_: subscriptions.get(type_) for type_ in dict.fromkeys(map(_type_of, messages))}
    handlers = list(dict.fromkeys(chosen.values()))
    handled = Handled()
    for handler in handlers:
        if handler:
            alone = len(handlers) == 1
            taken = messages if alone else [one for one in messages if chosen[one.event.type] == handler]
            handled.add(await handler(taken, tx))
    return handled


async def _set_aside(
    items: Sequence[Item], conflicts: Sequence[Conflict], held: Mapping[Partition, Held], tx: AsyncConnection
) -> None:
    rows = [_letter_row(item, held) for item in items if isinstance(item, Letter)]
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


def _outcomes(items: Sequence[Item], handled: Handled) -> Outcomes:
    tally: Outcomes = Counter({(partition, "new"): n for partition, n in Counter(map(_partition_of, items)).items()})
    for letter in (item for item in items if isinstance(item, Letter)):
        tally[letter.record.partition, f"rejected.{letter.reason}"] += 1
        tally[letter.record.partition, "new"] -= 1
    for partition, n in handled.duplicates.items():
        tally[partition, "duplicate"] += n
        tally[partition, "new"] -= n
    for conflict in handled.conflicts:
        tally[conflict.message.record.partition, "conflict"] += 1
        tally[conflict.message.record.partition, "new"] -= 1
    return Counter({key: n for key, n in tally.items() if n})


async def _count(outcomes: Outcomes, tx: AsyncConnection) -> None:
    rows = sorted(outcomes.items())
    await tx.execute(
        _TALLY,
        {
            "topics": [partition.topic for (partition, _), _ in rows],
            "partitions": [partition.number for (partition, _), _ in rows],
            "outcomes": [outcome for (_, outcome), _ in rows],
            "counts": [n for _, n in rows],
        },
    )
