"""`petla.scores`: what scoring made of an answer. Written by scoring, read by alerts."""

from msgspec import Struct

from shared.events.fields import Instant, Name, Revision, Text

SCORED = "feedback.scored.v1"


class FeedbackScored(Struct, omit_defaults=True, gc=False):
    """The new current revision of a feedback: an answer with its group, or a retraction (`retracted`).

    `time` is when the customer answered, `received_at` when the answer arrived; `sender` is the key's source,
    which a `submission_id` belongs to. `followup_id` is the follow-up that was asked about, once it was dealt with.
    """

    feedback: str
    revision: Revision
    retracted: bool
    sender: Name
    time: Instant
    received_at: Instant
    metric: Name | None = None
    score: float | None = None
    scale_min: float | None = None
    scale_max: float | None = None
    group: Name | None = None
    text: Text | None = None
    journey_stage: Name | None = None
    customer: Name | None = None
    order_id: Name | None = None
    submission_id: Name | None = None
    followup_id: Name | None = None
