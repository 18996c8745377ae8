"""What becomes of a batch of feedback: facts, rollups, and a scored event for every revision that is current now.

Nearly every answer is the first and only revision of its feedback. A batch of such is handled column by column.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import rows
from services.scoring.counters import Counters
from services.scoring.publishing import Publisher
from services.scoring.rollups import Changes, Days, Revision
from services.scoring.rows import Revisions
from services.scoring.store import feedback as table
from services.scoring.store import registers
from services.scoring.store import rollups as rollup_table
from services.scoring.store.registers import Settled
from shared.consumer.messages import Handled, Message


class Feedback:
    """`days` gives a moment its local day; `publisher` writes what leaves after the commit."""

    def __init__(self, days: Days, publisher: Publisher, counters: Counters) -> None:
        self._days = days
        self._publisher = publisher
        self._counters = counters

    async def record(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        handled = Handled()
        settled = await registers.settle("feedback", rows.feedback_arrivals(messages), handled, tx)
        if not settled.fresh:
            return handled
        before = await table.histories(settled.had_rows, tx) if settled.had_rows else {}
        if settled.demoted:
            await registers.demote("feedback", settled.demoted, tx)
        known = rows.revisions_of(settled.fresh)
        current = settled.are_current()
        documents = [arrival.message.event.data for arrival in settled.fresh]
        beginnings = rows.feedback_beginnings(settled.fresh, known)
        await table.insert(beginnings, documents, [not one for one in current], tx)
        changes = self._changes(settled, known, before)
        await rollup_table.add(changes.cells(rows.writer(messages)), tx)
        handled.publish = self._publisher.scored_all(
            (message.event, graded.group, message.data, message.record.key)
            for (_, _, _, message), graded, is_current in zip(settled.fresh, known.graded, current, strict=True)
            if is_current
        )
        handled.after_commit.append(partial(self._counters.scored.inc, sum(current)))
        return handled

    def _changes(self, settled: Settled, known: Revisions, before: Mapping[str, Sequence[Revision]]) -> Changes:
        changes = Changes(self._days)
        if settled.all_first:
            changes.add_first(known.graded, known.time, known.dimensions)
            return changes
        after: dict[str, list[Revision]] = {}
        for arrival, *revision in zip(settled.fresh, *known, strict=True):
            revisions = after.setdefault(arrival.id, list(before.get(arrival.id, ())))
            revisions.append(Revision._make(revision))
        for id_, revisions in after.items():
            changes.add(before.get(id_, ()), -1)
            changes.add(revisions, 1)
        return changes
