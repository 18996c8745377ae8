"""POST /v1/surveys/links: a link for one customer and one question, and the invitation as an event."""

import math
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.ingest.admission import admit
from services.ingest.keeping import Keeping
from services.ingest.limits import RateLimit
from services.ingest.surveys.invitations import Invitation
from services.ingest.surveys.questions import Metric
from services.ingest.surveys.submission import SOURCE, invited_event
from services.ingest.surveys.tokens import token_of
from shared.clock import Clock, rfc3339
from shared.events.identity import feedback_fact
from shared.log.port import Durability
from shared.no_survey import SurveyRefusals
from shared.pages.language import Language
from shared.problems import Refusal, mistake
from shared.sealing import Sealing

_NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+$"
_ID_BYTES = 12
LONGEST_URL = 2_000  # what mail clients and their proxies let through

ASKED: dict[str, Any] = {
    "survey_id": "after-delivery",
    "metric": "nps",
    "customer": "c-1",
    "order_id": "o-9",
    "touchpoint": "delivery",
    "channel": "email",
    "language": "pl",
}
MADE: dict[str, Any] = {
    "url": "https://feedback.example.com/s/AVq0…",
    "expires_at": "2026-12-20T12:00:00Z",
    "invitation_id": "kq3vJ0s2y9d1X4bT",
    "feedback": "0e2f9a41-6c1d-8b5e-9f30-7a1d2c4b6e80",
    "durability": "local",
}

Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_NO_CONTROL)]


class LinkBody(BaseModel):
    """Who is asked what, and about what. With the same `invitation_id` a second link leads to the same answer.

    The dimensions become those of the answer.
    """

    model_config = ConfigDict(strict=True, json_schema_extra={"example": ASKED})

    survey_id: Name
    metric: Metric
    customer: Name
    invitation_id: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_CONTROL)] | None = None
    valid_days: int = Field(default=30, ge=1, le=365)
    language: Language | None = None
    channel: Name | None = None
    order_id: Name | None = None
    contact_id: Name | None = None
    followup_id: Name | None = None
    touchpoint: Name | None = None
    journey_stage: Name | None = None
    product: Name | None = None
    store: Name | None = None
    agent: Name | None = None
    team: Name | None = None
    segment: Name | None = None
    campaign: Name | None = None

    def invitation(self, sender: str, new_id: str, now: datetime) -> Invitation:
        """`new_id` is used where the caller has none of their own."""
        told = self.model_dump(exclude={"valid_days", "invitation_id"})
        expires = int((now + timedelta(days=self.valid_days)).timestamp())
        return Invitation(sender=sender, invitation_id=self.invitation_id or new_id, expires=expires, **told)


class LinkMade(BaseModel):
    """`feedback` is the id of the answer to come: `GET /v1/feedback/{id}` has it once somebody answers."""

    model_config = ConfigDict(json_schema_extra={"example": MADE})

    url: str
    expires_at: str
    invitation_id: str
    feedback: str
    durability: Durability


class Links:
    """`public_url` None: the address at which the link was asked for."""

    def __init__(
        self,
        *,
        keeping: Keeping,
        sealing: Sealing,
        clock: Clock,
        rate: RateLimit,
        refusals: SurveyRefusals,
        public_url: str | None,
    ) -> None:
        self._keeping = keeping
        self._sealing = sealing
        self._clock = clock
        self._rate = rate
        self._refusals = refusals
        self._public_url = public_url

    async def make(self, body: LinkBody, sender: str, asked_at: str) -> LinkMade:
        """Refusal (422, 429); LogUnavailable when the invitation could not be kept."""
        if (seconds := self._rate.seconds_to_wait(sender, 1)) > 0:
            headers = {"Retry-After": str(math.ceil(seconds))}
            raise Refusal(429, "too_many_events", "this source sends more events a second than it may", headers=headers)
        if self._refusals.refuses(body.customer):
            raise _refused()
        now = self._clock.now()
        invitation = body.invitation(sender, secrets.token_urlsafe(_ID_BYTES), now)
        url = self._url(invitation, asked_at)
        durability = await self._keeping.keep([admit(invited_event(invitation), sender, now)])
        return LinkMade(
            url=url,
            expires_at=rfc3339(invitation.open_until),
            invitation_id=invitation.invitation_id,
            feedback=feedback_fact(sender, SOURCE, invitation.invitation_id),
            durability=durability,
        )

    def _url(self, invitation: Invitation, asked_at: str) -> str:
        url = f"{self._public_url or asked_at.rstrip('/')}/s/{token_of(invitation, self._sealing)}"
        if len(url) > LONGEST_URL:
            detail = (
                f"the link has {len(url)} characters, and at most {LONGEST_URL} get through e-mails: shorten the ids"
            )
            raise Refusal(422, "too_long", detail)
        return url


def _refused() -> Refusal:
    message = "does not want to be asked; a customer.updated.v1 with consent.survey true takes that back"
    return mistake("customer", "no_survey_consent", message)
