"""A fact is a register: identity and revision. This is the inbox of both fact tables.

The highest revision is current, whatever the order of arrival. The same revision with the same content is a duplicate,
with other content a conflict, and then the first in the log stays.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter
from typing import Any

from msgspec import Raw
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.lines import AROUND, BETWEEN, lines
from services.scoring.rows import Arrival
from shared.consumer.messages import Conflict, Handled

# As one text: the client would spend ten times as much on a list of so many. In a query of its own, which is read once;
# joined, it would make the planner read a whole table that has no statistics yet.
_KNOWN = """
    SELECT id, revision, content FROM {table}
    WHERE id = ANY(CAST((SELECT CAST(CAST(:ids AS text) AS uuid[])) AS uuid[]))"""
_id, _revision = attrgetter("id"), attrgetter("revision")


@dataclass
class Settled:
    """`fresh` are the revisions to insert, `current` the highest known of each of their facts after the batch.

    `had_rows` are the facts that were known before; `demoted` those whose current row must be marked as superseded.
    `all_first`: nothing was known of any of them, and none came twice.
    """

    all_first: bool = False

    fresh: list[Arrival] = field(default_factory=list)
    current: dict[str, int] = field(default_factory=dict)
    had_rows: set[str] = field(default_factory=set)
    demoted: list[str] = field(default_factory=list)

    def are_current(self) -> list[bool]:
        """Of the fresh ones, each."""
        if self.all_first:
            return [True] * len(self.fresh)
        return [self.current[arrival.id] == arrival.revision for arrival in self.fresh]


async def settle(table: str, arrivals: Sequence[Arrival], handled: Handled, tx: AsyncConnection) -> Settled:
    """Tell fresh revisions from duplicates and conflicts (which go into `handled`), in the order of the log."""
    ids = list(map(_id, arrivals))
    rows = await tx.execute(text(_KNOWN.format(table=table)), {"ids": f"{{{','.join(ids)}}}"})
    known: dict[str, dict[int, bytes]] = {}
    for id_, revision, content in rows:
        known.setdefault(str(id_), {})[revision] = content
    current = dict(zip(ids, map(_revision, arrivals), strict=True))
    if not known and len(current) == len(ids):
        return Settled(True, list(arrivals), current)
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
    driver = (await tx.get_raw_connection()).driver_connection
    assert driver is not None
    current = [row for row, old in zip(rows, superseded, strict=True) if not old]
    await driver.copy_records_to_table(table, columns=names, records=current)
    if len(current) < len(rows):
        now = (await tx.execute(text("SELECT now()"))).scalar_one()
        late = [(*row, now) for row, old in zip(rows, superseded, strict=True) if old]
        await driver.copy_records_to_table(table, columns=[*names, "superseded_at"], records=late)


async def copy_documents(
    table: str,
    names: Sequence[str],
    beginnings: Sequence[str],
    documents: Sequence[Raw],
    superseded: Sequence[bool],
    tx: AsyncConnection,
) -> None:
    """The same of rows that are text already, and end with a document in the column `data`."""
    if not all(superseded):
        current = [not old for old in superseded]
        await _copy_text(table, names, list(compress(beginnings, current)), list(compress(documents, current)), tx)
    if any(superseded):
        now = (await tx.execute(text("SELECT CAST(now() AS text)"))).scalar_one()
        late = [f"{beginning}{BETWEEN}{now}" for beginning in compress(beginnings, superseded)]
        await _copy_text(table, [*names, "superseded_at"], late, list(compress(documents, superseded)), tx)


async def _copy_text(
    table: str, names: Sequence[str], beginnings: Sequence[str], documents: Sequence[Raw], tx: AsyncConnection
) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield lines(beginnings, documents)

    driver = (await tx.get_raw_connection()).driver_connection
    assert driver is not None
    columns = [*names, "data"]
    await driver.copy_to_table(table, source=source(), columns=columns, format="csv", delimiter=BETWEEN, quote=AROUND)


def columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows turned into one array a column, as `unnest` takes them."""
    if not rows:
        return {name: [] for name in names}
    return dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
