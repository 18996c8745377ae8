"""The events that scoring sends: ids derive from the fact and its revision, so that readers drop repeats. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.events.envelope import Event, encode, fact_id, object_key
from shared.events.scores import SCORED, FeedbackScored
from shared.log.port import NewRecord

_SENDER = "petla"
_SOURCE = "/petla/scoring"


class Publisher:
    def __init__(self, scores_topic: str) -> None:
        self._topic = scores_topic

    def scored(self, row: Mapping[str, Any]) -> NewRecord:
        """`row` has the columns of a feedback row; scores in tenths become numbers again."""
        feedback = str(row["id"])
        name = f"{feedback}/{row['revision']}"
        told = FeedbackScored(
            feedback=feedback,
            revision=row["revision"],
            retracted=row["retracted"],
            sender=row["sender"],
            time=row["time"],
            received_at=row["received_at"],
            metric=row["metric"],
            score=_number(row["score"]),
            scale_min=_number(row["scale_min"]),
            scale_max=_number(row["scale_max"]),
            group=row["group_name"],
            text=row["text"],
            journey_stage=row["journey_stage"],
            customer=row["customer"],
            order_id=row["order_id"],
            submission_id=row["submission_id"],
        )
        event = Event(
            specversion="1.0",
            id=name,
            source=_SOURCE,
            type=SCORED,
            time=row["received_at"],
            sender=_SENDER,
            factid=fact_id(_SENDER, SCORED, name),
            receivedat=row["received_at"],
            data=msgspec.Raw(msgspec.json.encode(told)),
        )
        return NewRecord(self._topic, object_key("feedback", feedback), encode(event))


def _number(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10
