"""Who is asked what, and about what: all that is known when the answer comes, because nothing of it is kept. Pure."""

from datetime import UTC, datetime

from msgspec import Struct

from services.ingest.surveys.questions import Metric
from shared.pages.language import Language


class Invitation(Struct, array_like=True, frozen=True, kw_only=True):
    """`sender` is the source of the key that asked for the link; `expires` in seconds since 1970.

    An array in the link: a new field goes to the end, so that links that were sent before still work.
    """

    sender: str
    survey_id: str
    invitation_id: str
    metric: Metric
    customer: str
    expires: int
    language: Language | None = None
    channel: str | None = None
    order_id: str | None = None
    contact_id: str | None = None
    followup_id: str | None = None
    touchpoint: str | None = None
    journey_stage: str | None = None
    product: str | None = None
    store: str | None = None
    agent: str | None = None
    team: str | None = None
    segment: str | None = None
    campaign: str | None = None

    @property
    def open_until(self) -> datetime:
        return datetime.fromtimestamp(self.expires, UTC)
