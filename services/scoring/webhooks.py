"""Counts what came to sources' doors: each delivery once, in the transaction of the batch.

What a delivery made is settled here as the facts are settled, revision by revision, but among deliveries alone, so that
the numbers do not depend on which topic was read first.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.received import INCOMPLETE, Delivery, Judged, judged
from services.scoring.rollups import Days
from services.scoring.store import received as table
from services.scoring.store.received import Cell, Fact, Seen
from shared.consumer.messages import Handled, Message
from shared.events.raw import WebhookReceived

Hidden = Callable[[bytes], bytes]


class _Register:
    """What deliveries before said of a fact's revision; asked delivery by delivery, in the order of the log."""

    def __init__(self, new: set[Fact], contents: dict[Fact, bytes]) -> None:
        self._new = new
        self._contents = contents

    def judge(self, told: WebhookReceived, contents: dict[Fact, bytes]) -> Judged:
        fresh = contents.keys() & self._new
        self._new -= fresh
        conflicting = any(self._contents[fact] != content for fact, content in contents.items())
        return judged(told, bool(fresh), conflicting)


class Webhooks:
    """`days` gives a moment its local day; `hidden` makes of a content's digest one that nobody can guess."""

    def __init__(self, days: Days, hidden: Hidden) -> None:
        self._days = days
        self._hidden = hidden

    async def record(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """A record that stands on the log twice is a duplicate; one of a replay counts nothing, since nothing came."""
        handled = Handled()
        arrived = await _arrived(messages, handled, tx)
        contents = [self._contents(message.data) for message in arrived]
        said = table.first_contents([one for each in contents for one in each.items()])
        register = _Register(*await table.settle_facts(said, tx))
        found = [(message, register.judge(message.data, each)) for message, each in zip(arrived, contents, strict=True)]
        came = [(message, outcome) for message, outcome in found if message.data.replays is None]
        if came:
            await self._keep(came, tx)
        return handled

    def _contents(self, told: WebhookReceived) -> dict[Fact, bytes]:
        return table.first_contents(
            [((one.fact, one.revision), self._hidden(bytes.fromhex(one.digest))) for one in told.events]
        )

    async def _keep(self, came: Sequence[tuple[Message, Judged]], tx: AsyncConnection) -> None:
        writer = min(message.record.partition.number for message, _ in came)
        await table.count(self._cells(came, writer), tx)
        rows = [_delivery(message, outcome) for message, outcome in came]
        await table.see(_seen(rows, writer), tx)
        await table.keep_newest(_newest(rows), tx)

    def _cells(self, came: Sequence[tuple[Message, Judged]], writer: int) -> Counter[Cell]:
        cells: Counter[Cell] = Counter()
        for message, outcome in came:
            source, day = message.data.source, self._days(message.event.receivedat)
            reason = "" if outcome.incomplete else outcome.reason
            cells[Cell(source, day, outcome.outcome, reason, writer)] += 1
            if outcome.incomplete:
                cells[Cell(source, day, INCOMPLETE, outcome.reason, writer)] += 1
        return cells


async def _arrived(messages: Sequence[Message], handled: Handled, tx: AsyncConnection) -> list[Message]:
    """Each record once, those of earlier batches left out."""
    new = await table.new_records({one.event.factid: one.event.receivedat for one in messages}, tx)
    arrived = []
    for message in messages:
        if message.event.factid in new:
            new.remove(message.event.factid)
            arrived.append(message)
        else:
            handled.duplicates[message.record.partition] += 1
    return arrived


def _delivery(message: Message, outcome: Judged) -> Delivery:
    told, record = message.data, message.record
    return Delivery(
        id=UUID(message.event.factid),
        source=told.source,
        received_at=message.event.receivedat,
        outcome=outcome.outcome,
        reason=outcome.reason,
        at_fault=outcome.at_fault,
        status=told.status,
        size=told.size,
        version=told.version,
        events=len(told.events),
        kept=told.body is not None,
        partition=record.partition.number,
        log_offset=record.offset,
    )


def _seen(rows: Sequence[Delivery], writer: int) -> dict[tuple[str, int], Seen]:
    seen: dict[tuple[str, int], Seen] = {}
    for row in sorted(rows, key=lambda row: row.received_at):
        before = seen.get((row.source, writer))
        error = (row.received_at, row.reason, row.status) if row.at_fault else before[2:] if before else (None,) * 3
        seen[row.source, writer] = Seen(row.source, row.received_at, *error)
    return seen


def _newest(rows: Sequence[Delivery]) -> list[Delivery]:
    """Of each source, as many as are kept at the most."""
    kept: Counter[str] = Counter()
    newest = []
    for row in sorted(rows, key=lambda row: row.received_at, reverse=True):
        if kept[row.source] < table.MOST_OF_A_SOURCE:
            kept[row.source] += 1
            newest.append(row)
    return newest
