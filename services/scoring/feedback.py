"""What becomes of a batch of feedback: facts, rollups, and a scored event for every revision that is current now.

Nearly every answer is the first and only revision of its feedback. A batch of such is handled column by column.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import compress

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import rows
from services.scoring.counters import Counters
from services.scoring.publishing import Current, Publisher
from services.scoring.rollups import Changes, Days, Revision
from services.scoring.rows import Answers, Arrivals
from services.scoring.store import feedback as table
from services.scoring.store import registers
from services.scoring.store import rollups as rollup_table
from services.scoring.store.registers import Settled
from shared.consumer.messages import Handled, Message, Messages


class Feedback:
    """`days` gives a moment its local day; `publisher` writes what leaves after the commit."""

    def __init__(self, days: Days, publisher: Publisher, counters: Counters) -> None:
        self._days = days
        self._publisher = publisher
        self._counters = counters

    async def record(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        handled, messages = Handled(), Messages.of(messages)
        arrivals = rows.feedback_arrivals(messages)
        known = await registers.known("feedback", arrivals.id, tx)
        changes = Changes(self._days)
        if known or len(set(arrivals.id)) < len(arrivals.id):
            settled = registers.tell_apart(arrivals.rows(), known, handled)
            current = await self._record_again(settled, changes, tx) if settled.fresh else ()
        else:
            current = await self._record_first(arrivals, changes, tx)
        await rollup_table.add(changes.cells(rows.writer(messages)), tx)
        handled.publish = self._publisher.scored_all(current)
        handled.after_commit.append(partial(self._counters.scored.inc, len(handled.publish)))
        return handled

    async def _record_first(self, arrivals: Arrivals, changes: Changes, tx: AsyncConnection) -> Iterable[Current]:
        """Nothing was known of any of them, and none came twice."""
        answers = rows.answers_of(arrivals)
        await table.insert(rows.feedback_rows(arrivals, answers), tx)
        changes.add_first(*answers)
        return _told(arrivals, answers)

    async def _record_again(self, settled: Settled, changes: Changes, tx: AsyncConnection) -> Iterable[Current]:
        before = await table.histories(settled.had_rows, tx) if settled.had_rows else {}
        if settled.demoted:
            await registers.demote("feedback", settled.demoted, tx)
        arrivals = Arrivals.of(settled.fresh)
        answers = rows.answers_of(arrivals)
        are_current = settled.are_current()
        superseded = await registers.superseded(are_current, tx)
        await table.insert(rows.feedback_rows(arrivals, answers, superseded), tx)
        after: dict[str, list[Revision]] = {}
        for id_, revision in zip(arrivals.id, rows.revisions_of(arrivals, answers), strict=True):
            after.setdefault(id_, list(before.get(id_, ()))).append(revision)
        for id_, revisions in after.items():
            changes.add(before.get(id_, ()), -1)
            changes.add(revisions, 1)
        return compress(_told(arrivals, answers), are_current)


def _told(arrivals: Arrivals, answers: Answers) -> Iterator[Current]:
    messages = arrivals.messages
    groups = (alike.graded.group for alike in answers.alike)
    return zip(messages.events, groups, messages.data, messages.records.keys, strict=True)
