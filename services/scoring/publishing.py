"""The events that scoring sends: ids derive from the fact and its revision, so that readers drop repeats. Pure."""

from msgspec import Raw

from shared.events.envelope import Event, encode, object_key
from shared.events.feedback import Answer, Retraction
from shared.events.scores import SCORED, FeedbackScored
from shared.log.port import NewRecord

_SENDER = "petla"
_SOURCE = "/petla/scoring"
_NOTHING = Answer(metric="comment")


class Publisher:
    def __init__(self, scores_topic: str) -> None:
        self._topic = scores_topic

    def scored(self, known: Event, group: str | None, data: Answer | Retraction) -> NewRecord:
        """`known` is the event of a revision that is current now; the scored event is the same fact's, by its id."""
        answer = _NOTHING if isinstance(data, Retraction) else data
        told = FeedbackScored(
            feedback=known.factid,
            revision=known.revision,
            retracted=isinstance(data, Retraction),
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
        )
        event = Event(
            specversion="1.0",
            id=f"{known.factid}/{known.revision}",
            source=_SOURCE,
            type=SCORED,
            time=known.receivedat,
            sender=_SENDER,
            factid=known.factid,
            receivedat=known.receivedat,
            data=Raw(encode(told)),
            revision=known.revision,
        )
        return NewRecord(self._topic, object_key("feedback", known.factid), encode(event))
