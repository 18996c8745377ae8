"""The events that scoring sends: ids derive from the fact and its revision, so that readers drop repeats. Pure."""

from collections.abc import Iterable

from shared.events.envelope import Event, NewEvent, encode
from shared.events.feedback import Answer, Retraction
from shared.events.identity import feedback_key
from shared.events.scores import SCORED, FeedbackScored
from shared.log.port import NewRecord

_SENDER = "petla"
_SOURCE = "/petla/scoring"
_NOTHING = Answer(metric="comment")


# What `Publisher.scored` takes.
Current = tuple[Event, str | None, Answer | Retraction, bytes | None]


class Publisher:
    def __init__(self, scores_topic: str) -> None:
        self._topic = scores_topic

    def scored_all(self, revisions: Iterable[Current]) -> list[NewRecord]:
        return [self.scored(*revision) for revision in revisions]

    def scored(self, known: Event, group: str | None, data: Answer | Retraction, key: bytes | None) -> NewRecord:
        """`known` is the event of a revision that is current now, `key` its record's, None where it is not at hand.

        The scored event is about the same fact: its id, its revision, its partition key, its trace.
        """
        answer = _NOTHING if isinstance(data, Retraction) else data
        told = FeedbackScored(
            feedback=known.factid,
            revision=known.revision,
            retracted=answer is _NOTHING,
            sender=known.sender,
            time=known.time,
            received_at=known.receivedat,
            metric=None if answer is _NOTHING else answer.metric,
            score=answer.score,
            scale_min=answer.scale_min,
            scale_max=answer.scale_max,
            group=group,
            text=answer.text if group == "detractor" else None,  # nobody else is called back
            journey_stage=answer.journey_stage,
            customer=answer.customer,
            order_id=answer.order_id,
            submission_id=answer.submission_id,
            followup_id=answer.followup_id,
        )
        record = NewEvent(
            specversion="1.0",
            id=f"{known.factid}/{known.revision}",
            source=_SOURCE,
            type=SCORED,
            time=known.receivedat,
            sender=_SENDER,
            factid=known.factid,
            receivedat=known.receivedat,
            data=told,
            revision=known.revision,
            traceparent=known.traceparent,
        )
        return NewRecord(self._topic, key or feedback_key(known.factid), encode(record))
