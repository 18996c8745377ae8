"""A fact is a register: identity and revision. This is the inbox of both fact tables.

The highest revision is current, whatever the order of arrival. The same revision with the same content is a duplicate,
with other content a conflict, and then the first in the log stays.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

from msgspec import Raw
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import binary
from services.scoring.rows import Arrival
from shared.consumer.messages import Conflict, Handled
from shared.statements import driver_of, fetch

# As one text: the client would spend ten times as much on a list of so many. In a query of its own, which is read once;
# joined, it would make the planner read a whole table that has no statistics yet.
_KNOWN = """
    SELECT id, revision, content FROM {table} WHERE id = ANY(CAST((SELECT $1::text::uuid[]) AS uuid[]))"""
_id = attrgetter("id")

# The contents that are known, by fact and revision.
Known = dict[str, dict[int, bytes]]


@dataclass
class Settled:
    """`fresh` are the revisions to insert, `current` the highest known of each of their facts after the batch.

    `had_rows` are the facts that were known before; `demoted` those whose current row must be marked as superseded.
    """

    fresh: list[Arrival] = field(default_factory=list)
    current: dict[str, int] = field(default_factory=dict)
    had_rows: set[str] = field(default_factory=set)
    demoted: list[str] = field(default_factory=list)

    def are_current(self) -> list[bool]:
        """Of the fresh ones, each."""
        return [self.current[arrival.id] == arrival.revision for arrival in self.fresh]


async def known(table: str, ids: Iterable[str], tx: AsyncConnection) -> Known:
    found: Known = {}
    for id_, revision, content in await fetch(tx, _KNOWN.format(table=table), f"{{{','.join(ids)}}}"):
        found.setdefault(str(id_), {})[revision] = content
    return found


async def settle(table: str, arrivals: Sequence[Arrival], handled: Handled, tx: AsyncConnection) -> Settled:
    """Tell fresh revisions from duplicates and conflicts (which go into `handled`), in the order of the log."""
    return tell_apart(arrivals, await known(table, map(_id, arrivals), tx), handled)


def tell_apart(arrivals: Sequence[Arrival], known: Known, handled: Handled) -> Settled:
    """The same where what is known is at hand; it grows by what is fresh."""
    highest_before = {id_: max(revisions) for id_, revisions in known.items()}
    settled = Settled()
    for arrival in arrivals:
        revisions = known.setdefault(arrival.id, {})
        content = revisions.setdefault(arrival.revision, arrival.content)
        if content is arrival.content:  # nothing stood there
            settled.fresh.append(arrival)
        elif content == arrival.content:
            handled.duplicates[arrival.message.record.partition] += 1
        else:
            handled.conflicts.append(_conflict(arrival))
    for arrival in settled.fresh:
        settled.current[arrival.id] = max(known[arrival.id])
    settled.had_rows = highest_before.keys() & settled.current.keys()
    settled.demoted = [id_ for id_ in settled.had_rows if settled.current[id_] > highest_before[id_]]
    return settled


def _conflict(arrival: Arrival) -> Conflict:
    detail = f"revision {arrival.revision} is known with other content; send a change as a higher revision"
    return Conflict(arrival.message, arrival.id, arrival.content, detail)


async def demote(table: str, ids: Iterable[str], tx: AsyncConnection) -> None:
    """Before the higher revisions are inserted: the unique index allows one current row a fact."""
    await tx.execute(
        text(
            f"UPDATE {table} SET superseded_at = now() WHERE superseded_at IS NULL AND id = ANY(CAST(:ids AS uuid[]))"
        ),
        {"ids": list(ids)},
    )


async def copy_into(
    table: str, names: Sequence[str], rows: Sequence[Sequence[Any]], superseded: Sequence[bool], tx: AsyncConnection
) -> None:
    """Insert revisions by COPY, a third of the cost of arrays; what is superseded already gets its time now."""
    driver = driver_of(tx)
    current = [row for row, old in zip(rows, superseded, strict=True) if not old]
    await driver.copy_records_to_table(table, columns=names, records=current)
    if len(current) < len(rows):
        ((now,),) = await fetch(tx, "SELECT now()")
        late = [(*row, now) for row, old in zip(rows, superseded, strict=True) if old]
        await driver.copy_records_to_table(table, columns=[*names, "superseded_at"], records=late)


async def superseded(are_current: Sequence[bool], tx: AsyncConnection) -> list[bytes]:
    """When each was, as `binary` has it: what comes behind a higher revision is superseded now."""
    if all(are_current):
        return [binary.NULL] * len(are_current)
    ((now,),) = await fetch(tx, "SELECT now()")
    return [binary.NULL if current else binary.instant(now) for current in are_current]


async def copy_binary(table: str, names: Sequence[str], rows: Iterable[bytes | Raw], tx: AsyncConnection) -> None:
    """Insert rows that `binary` has packed already, in pieces."""

    async def source() -> AsyncIterator[bytes]:
        yield b"".join(chain([binary.BEGIN], rows, [binary.END]))

    await driver_of(tx).copy_to_table(table, source=source(), columns=names, format="binary")


def columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows turned into one array a column, as `unnest` takes them."""
    if not rows:
        return {name: [] for name in names}
    return dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
