"""What scoring does with a batch. Handlers change the database in the transaction they are given, nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import deliveries, rollups
from services.scoring.metrics.cells import Scale
from services.scoring.metrics.groups import group
from services.scoring.publishing import Publisher
from services.scoring.rollups import Days, Deltas, Revision
from services.scoring.store import activity, feedback, followups, registers
from services.scoring.store import rollups as rollup_table
from services.scoring.store.registers import Arrival, Settled
from shared.consumer.messages import Handled, Message, Subscriptions
from shared.events.activity import ACTIVITY
from shared.events.envelope import content_digest
from shared.events.feedback import DIMENSIONS, RECEIVED, RETRACTED, UPDATED, Answer, Retraction, tenths
from shared.events.followups import FOLLOWUPS, POSITION, SUPPRESSED, AlertsPosition, event_type
from shared.log.port import NewRecord, Partition

_EMPTY = Answer(metric="comment")
_ATTEMPTS = (event_type("attempted"), event_type("reached"))


class Handlers:
    """`zone` is the time zone whose days the rollups count; `publisher` writes what leaves after the commit."""

    def __init__(self, zone: ZoneInfo, publisher: Publisher) -> None:
        self._days = Days(zone)
        self._publisher = publisher

    async def record_feedback(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """Facts, rollups, and a scored event for every revision that is current now."""
        handled = Handled()
        arrivals = [Arrival(message, _feedback_content(message)) for message in messages]
        settled = await registers.settle("feedback", arrivals, handled, tx)
        if not settled.fresh:
            return handled
        before = await feedback.histories(settled.had_rows, tx) if settled.had_rows else {}
        if settled.demoted:
            await registers.demote("feedback", settled.demoted, tx)
        rows = [_feedback_row(arrival) for arrival in settled.fresh]
        await feedback.insert(rows, [not settled.is_current(arrival) for arrival in settled.fresh], tx)
        await rollup_table.add(self._feedback_deltas(settled, before), tx)
        handled.publish = [
            self._publisher.scored(dict(zip(feedback.COLUMNS, row, strict=True)))
            for row, arrival in zip(rows, settled.fresh, strict=True)
            if settled.is_current(arrival)
        ]
        return handled

    def _feedback_deltas(self, settled: Settled, before: dict[UUID, list[Revision]]) -> Deltas:
        after: dict[UUID, list[Revision]] = {}
        for arrival in settled.fresh:
            after.setdefault(arrival.id, list(before.get(arrival.id, ()))).append(_revision(arrival))
        partitions = {arrival.id: arrival.message.record.partition.number for arrival in settled.fresh}
        deltas = Deltas()
        for id_, revisions in after.items():
            for history, sign in ((before.get(id_, ()), -1), (revisions, 1)):
                if found := rollups.counted(history):
                    rollups.add_feedback(deltas, *found, sign, self._days, partitions[id_])
        return deltas

    async def record_activity(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """Facts, and the deliveries that they change."""
        handled = Handled()
        arrivals = [Arrival(message, content_digest(message.event.type, message.data)) for message in messages]
        settled = await registers.settle("activity", arrivals, handled, tx)
        if not settled.fresh:
            return handled
        if settled.demoted:
            await registers.demote("activity", settled.demoted, tx)
        rows = [_activity_row(arrival) for arrival in settled.fresh]
        await activity.insert(rows, [not settled.is_current(arrival) for arrival in settled.fresh], tx)
        touched = {
            arrival.message.data.order_id: arrival.message.record.partition.number
            for arrival in settled.fresh
            if arrival.message.event.type in deliveries.TYPES
        }
        if touched:
            await self._judge_deliveries(touched, tx)
        return handled

    async def _judge_deliveries(self, touched: dict[str, int], tx: AsyncConnection) -> None:
        before = await activity.deliveries(touched, tx)
        facts = await activity.order_facts(touched, tx)
        after = {order: judged for order in touched if (judged := deliveries.judge(facts.get(order, ())))}
        changed = {order: judged for order, judged in after.items() if before.get(order) != judged}
        deltas = Deltas()
        for order, judged in changed.items():
            for delivery, sign in ((before.get(order), -1), (judged, 1)):
                if delivery:
                    dimensions = {"store": delivery.store, "channel": delivery.channel, "source": delivery.sender}
                    day = self._days(delivery.completed_at)
                    rollups.add_delivery(deltas, delivery.outcome, dimensions, day, sign, touched[order])
        await activity.put_deliveries(changed, tx)
        await rollup_table.add(deltas, tx)

    async def track_followups(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """The state and the times of follow-ups; merging makes every repetition harmless."""
        await followups.merge_steps([_step(message) for message in messages], tx)
        return Handled()

    async def track_suppressions(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        rows = [
            (
                UUID(told.feedback),
                told.version,
                told.reason,
                UUID(told.followup_id) if told.followup_id else None,
                told.at,
            )
            for told in (message.data for message in messages)
        ]
        await followups.suppress(rows, tx)
        return Handled()

    async def track_positions(self, messages: Sequence[Message], tx: AsyncConnection) -> Handled:
        """How far alerts has read, so that the reconciliation can tell whether all is settled."""
        rows = [row for message in messages for row in _position_rows(message.data)]
        await followups.put_positions(rows, tx)
        return Handled()

    async def republish(self, partition: Partition, since: datetime, tx: AsyncConnection) -> list[NewRecord]:
        """The scored events that a crash may have kept back; readers drop the ones they have."""
        rows = await feedback.recorded_since(partition.number, since, tx)
        return [self._publisher.scored(_scored_row(row)) for row in rows]


def _feedback_content(message: Message) -> bytes:
    if message.event.type == RETRACTED:
        return content_digest("retraction", message.data)
    return content_digest("answer", message.data)


def _feedback_row(arrival: Arrival) -> tuple[Any, ...]:
    """In the order of `feedback.COLUMNS`."""
    event, answer = arrival.message.event, arrival.message.data
    retracted = isinstance(answer, Retraction)
    known = _EMPTY if retracted else answer
    score, low, high = _tenths(known)
    return (
        event.factid,
        event.revision,
        retracted,
        arrival.content,
        event.sender,
        answer.feedback_id or event.id,
        arrival.message.record.partition.number,
        event.time,
        event.receivedat,
        None if score is None else group(known.metric, score, Scale(low, high, known.direction)),
        score,
        low,
        high,
        None if retracted else known.metric,
        None if retracted else known.direction,
        known.text,
        known.customer,
        known.order_id,
        known.contact_id,
        known.submission_id,
        *[getattr(known, name) for name in DIMENSIONS],
    )


def _tenths(answer: Answer) -> tuple[Any, Any, Any]:
    if answer.score is None or answer.scale_min is None or answer.scale_max is None:
        return None, None, None
    return tenths(answer.score), tenths(answer.scale_min), tenths(answer.scale_max)


def _revision(arrival: Arrival) -> Revision:
    event, answer = arrival.message.event, arrival.message.data
    if isinstance(answer, Retraction):
        return Revision(event.revision, True, None, None, None, None, None, event.time, ())
    names = rollups.FEEDBACK_DIMENSIONS
    dimensions = [event.sender if name == "source" else getattr(answer, name) for name in names]
    return Revision(event.revision, False, answer.metric, *_tenths(answer), answer.direction, event.time, dimensions)


def _activity_row(arrival: Arrival) -> tuple[Any, ...]:
    """In the order of `activity.COLUMNS`."""
    event, data = arrival.message.event, arrival.message.data
    _, names_object = ACTIVITY[event.type]
    return (
        event.factid,
        event.revision,
        arrival.content,
        event.type,
        event.sender,
        getattr(data, names_object),
        msgspec.json.encode(data).decode(),
        event.time,
        event.receivedat,
        arrival.message.record.partition.number,
    )


def _scored_row(row: Any) -> dict[str, Any]:
    return dict(row._mapping)


def _step(message: Message) -> followups.Step:
    told, kind = message.data, message.event.type
    opened = kind == event_type("opened")
    return followups.Step(
        id=UUID(told.followup_id),
        feedback=UUID(told.feedback),
        version=told.version,
        state=told.state,
        first_attempt_at=told.at if kind in _ATTEMPTS else None,
        opened_version=told.version if opened else 0,
        opened_at=told.at if opened else None,
        first_attempt_due=told.first_attempt_due if opened else None,
        priority=told.priority if opened else None,
        metric=told.metric if opened else None,
        score=tenths(told.score) if opened and told.score is not None else None,
        scale_max=tenths(told.scale_max) if opened and told.scale_max is not None else None,
    )


def _position_rows(told: AlertsPosition) -> list[tuple[str, int, int, datetime]]:
    return [
        (topic, int(number), next_offset, told.at)
        for topic, numbers in told.positions.items()
        for number, next_offset in numbers.items()
    ]


def subscriptions(handlers: Handlers) -> Subscriptions:
    """Everything scoring reacts to."""
    return {
        RECEIVED: handlers.record_feedback,
        UPDATED: handlers.record_feedback,
        RETRACTED: handlers.record_feedback,
        **dict.fromkeys(ACTIVITY, handlers.record_activity),
        **dict.fromkeys(FOLLOWUPS, handlers.track_followups),
        SUPPRESSED: handlers.track_suppressions,
        POSITION: handlers.track_positions,
    }
