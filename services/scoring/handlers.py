"""What scoring does with a batch. Handlers change the database in the transaction they are given, nothing else."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import deliveries, rollups, rows
from services.scoring.counters import Counters
from services.scoring.feedback import Feedback
from services.scoring.publishing import Publisher
from services.scoring.rollups import Days, Deltas
from services.scoring.store import activity, feedback, followups, registers
from services.scoring.store import rollups as rollup_table
from services.scoring.webhooks import Hidden, Webhooks
from shared.consumer.messages import Handled, Message, Subscriptions
from shared.erasure.arrivals import Erased, NobodyErased
from shared.events.activity import ACTIVITY, ACTIVITY_RETRACTED
from shared.events.catalogue import FEEDBACK_TOPIC
from shared.events.envelope import Event
from shared.events.feedback import RECEIVED, RETRACTED, UPDATED, Answer, Retraction
from shared.events.followups import FOLLOWUPS, POSITION, SUPPRESSED
from shared.events.raw import RAW
from shared.log.port import NewRecord, Partition

_decode_answer = msgspec.json.Decoder(Answer).decode
_decode_retraction = msgspec.json.Decoder(Retraction).decode


class Handlers:
    """`zone` is the time zone whose days the rollups count; `publisher` writes what leaves after the commit.

    `erased` takes erased persons out of what arrives; `hidden` is that of `Webhooks`.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        publisher: Publisher,
        counters: Counters | None = None,
        erased: Erased | None = None,
        hidden: Hidden = bytes,
    ) -> None:
        self._days = Days(zone)
        self._webhooks = Webhooks(self._days, hidden)
        self._publisher = publisher
        self._erased = erased or NobodyErased()
        self._feedback = Feedback(self._days, publisher, counters or Counters(CollectorRegistry()))

    async def record_feedback(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """Facts, rollups, and a scored event for every revision that is current now."""
        return await self._feedback.record(await self._erased.without_person(messages, tx), tx)

    async def record_activity(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """Facts, and the deliveries that they change."""
        handled = Handled()
        messages = await self._erased.without_person(messages, tx)
        arrivals = [rows.activity_arrival(message) for message in messages]
        settled = await registers.settle("activity", arrivals, handled, tx)
        if not settled.fresh:
            return handled
        if settled.demoted:
            await registers.demote("activity", settled.demoted, tx)
        inserted = [rows.activity_row(arrival) for arrival in settled.fresh]
        await activity.insert(inserted, [not current for current in settled.are_current()], tx)
        delivered = [arrival for arrival in settled.fresh if rows.type_of_fact(arrival.message) in deliveries.TYPES]
        if delivered:
            told = [arrival.message for arrival in delivered if arrival.message.event.type != ACTIVITY_RETRACTED]
            orders = {message.data.order_id for message in told}
            if known := settled.had_rows & {arrival.id for arrival in delivered}:
                orders |= await activity.objects(known, tx)  # a revision may name another order than the one before
            await self._judge_deliveries(orders, rows.writer(messages), tx)
        return handled

    async def _judge_deliveries(self, orders: set[str], writer: int, tx: AsyncConnection) -> None:
        before = await activity.deliveries(orders, tx)
        facts = await activity.order_facts(orders, tx)
        after = {order: deliveries.judge(facts.get(order, ())) for order in orders}
        changed = {order: judged for order, judged in after.items() if before.get(order) != judged}
        deltas = Deltas()
        for order, judged in changed.items():
            for delivery, sign in ((before.get(order), -1), (judged, 1)):
                if delivery:
                    dimensions = {"store": delivery.store, "channel": delivery.channel, "source": delivery.sender}
                    day = self._days(delivery.completed_at)
                    rollups.add_delivery(deltas, delivery.outcome, dimensions, day, sign, writer)
        await activity.put_deliveries({order: judged for order, judged in changed.items() if judged}, tx)
        await activity.forget_deliveries([order for order, judged in changed.items() if judged is None], tx)
        await rollup_table.add(deltas, tx)

    async def track_followups(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """The state and the times of follow-ups; merging makes every repetition harmless."""
        await followups.merge_steps([rows.step(message) for message in messages], tx)
        return Handled()

    async def track_suppressions(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        await followups.suppress([rows.suppression_row(message) for message in messages], tx)
        return Handled()

    async def track_positions(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """How far alerts has read, so that the reconciliation can tell whether all is settled."""
        moved = [row for message in messages for row in rows.position_rows(message.data)]
        await followups.put_positions(moved, tx)
        return Handled()

    async def record_received(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """What came to the doors of sources, and what became of it: numbers and codes, nothing of what was sent."""
        return await self._webhooks.record(await self._erased.without_person(messages, tx), tx)

    async def republish(self, partition: Partition, since: datetime, tx: AsyncConnection) -> list[NewRecord]:
        """The scored events that a crash may have kept back; readers drop the ones they have."""
        if not partition.topic.endswith(FEEDBACK_TOPIC):  # nothing is published for the others
            return []
        recorded = await feedback.recorded_since(partition.number, since, tx)
        return [self._scored_again(row) for row in recorded]

    def _scored_again(self, row: feedback.Recorded) -> NewRecord:
        data = _decode_retraction(row.data) if row.retracted else _decode_answer(row.data)
        known = Event(
            specversion="1.0",
            id=str(row.id),
            source=row.sender,
            type=RECEIVED,
            time=row.time,
            sender=row.sender,
            factid=str(row.id),
            receivedat=row.received_at,
            data=msgspec.Raw(),
            revision=row.revision,
        )
        return self._publisher.scored(known, row.group, data, None)


def subscriptions(handlers: Handlers) -> Subscriptions:
    """Everything scoring reacts to."""
    return {
        RECEIVED: handlers.record_feedback,
        UPDATED: handlers.record_feedback,
        RETRACTED: handlers.record_feedback,
        **dict.fromkeys((*ACTIVITY, ACTIVITY_RETRACTED), handlers.record_activity),
        **dict.fromkeys(FOLLOWUPS, handlers.track_followups),
        SUPPRESSED: handlers.track_suppressions,
        POSITION: handlers.track_positions,
        RAW: handlers.record_received,
    }
