"""A survey's link, opened and answered. Opening is harmless; answered means that the log has it, or the page says no.

Whatever happens, the customer gets a page in words, with what was typed still in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from starlette.types import Receive

from services.ingest.admission import admit
from services.ingest.body import BodyReading
from services.ingest.counters import Counters
from services.ingest.keeping import Keeping
from services.ingest.limits import BytesAtOnce, FewAtOnce
from services.ingest.surveys.invitations import Invitation
from services.ingest.surveys.page import Closed, Filled, Kind, Page, survey_page
from services.ingest.surveys.questions import QUESTIONS
from services.ingest.surveys.submission import LONGEST_COMMENT, MOST_BYTES, Form, answer_event, read_form
from services.ingest.surveys.tokens import Expired, Unreadable, read_token
from services.ingest.surveys.wording import Wording, wording
from shared.clock import Clock
from shared.log.port import LogUnavailable
from shared.pages.language import Language, choose
from shared.problems import Refusal
from shared.sealing import Sealing

_RETRY_SECONDS = 5


@dataclass(frozen=True)
class Visit:
    """What a browser said with the token: the language chosen on the page (`asked`), the score of the address."""

    token: str
    asked: str = ""
    accept_language: str = ""
    score: str = ""
    traceparent: str | None = None


class Answered(NamedTuple):
    """`retry` in seconds, where another attempt may succeed."""

    status: int
    page: Page | Closed
    say: Wording
    retry: int | None = None


class Answering:
    def __init__(
        self,
        *,
        keeping: Keeping,
        sealing: Sealing,
        clock: Clock,
        zone: ZoneInfo,
        brand: str | None,
        often: FewAtOnce,
        at_once: BytesAtOnce,
        counters: Counters,
    ) -> None:
        self._keeping = keeping
        self._sealing = sealing
        self._clock = clock
        self._zone = zone
        self._brand = brand
        self._often = often
        self._at_once = at_once
        self._counters = counters

    def opened(self, visit: Visit) -> Answered:
        """The page with the score of the address chosen; nothing is recorded."""
        found = self._invitation(visit)
        if isinstance(found, Answered):
            return found
        score = QUESTIONS[found.metric].score(visit.score)
        return self._page(found, Filled(score), visit, 200)

    async def answered(self, visit: Visit, headers: Mapping[bytes, bytes], receive: Receive) -> Answered:
        """Raises Disconnected. The body is read only for a link that works."""
        found = self._invitation(visit)
        if isinstance(found, Answered):
            return found
        reading = BodyReading(self._at_once, MOST_BYTES)
        try:
            form = read_form(await reading.read(headers, receive))
        except Refusal as refusal:
            why = "too_large" if refusal.status_code == 413 else "not_read"
            return self._refused(found, Filled(), visit, refusal.status_code, why, refusal.code)
        finally:
            reading.release()
        return await self._take(found, form, replace(visit, asked=form.language or visit.asked))

    async def _take(self, invitation: Invitation, form: Form, visit: Visit) -> Answered:
        score = QUESTIONS[invitation.metric].score(form.score)
        filled = Filled(score, form.text, form.seen)
        if score is None:
            return self._refused(invitation, filled, visit, 422, "score")
        if form.is_too_long:
            return self._refused(invitation, filled, visit, 422, "too_long")
        if not self._often.lets(f"{invitation.sender}\0{invitation.invitation_id}"):
            return self._refused(invitation, filled, visit, 429, "too_often")
        try:
            revision = await self._record(invitation, score, form, visit)
        except LogUnavailable:
            return self._refused(invitation, filled, visit, 503, "away", "log_unavailable")
        return self._page(invitation, replace(filled, seen=revision), visit, 200, kind="recorded")

    async def _record(self, invitation: Invitation, score: int, form: Form, visit: Visit) -> int:
        now = self._clock.now()
        event = answer_event(invitation, score, form, self._language(invitation, visit), now)
        self._counters.received.inc()
        await self._keeping.keep([admit(event, invitation.sender, now, visit.traceparent)])
        assert event.revision is not None
        return event.revision

    def failed(self, visit: Visit) -> Answered:
        """Something went wrong here that nobody foresaw."""
        found = self._invitation(visit)
        return (
            found
            if isinstance(found, Answered)
            else self._refused(found, Filled(), visit, 500, "not_read", "internal_error")
        )

    def _invitation(self, visit: Visit) -> Invitation | Answered:
        try:
            return read_token(visit.token, self._sealing, self._clock.now())
        except Unreadable:
            return self._closed(Closed("unknown", self._both(visit)), 404)
        except Expired:
            return self._closed(Closed("expired", self._both(visit)), 410)

    def _closed(self, closed: Closed, status: int) -> Answered:
        self._counters.refused.labels(f"survey_{closed.reason}").inc()
        return Answered(status, closed, closed.wordings[0])

    def _both(self, visit: Visit) -> list[Wording]:
        """Both languages, the reader's first."""
        first = choose(_known(visit.asked), visit.accept_language)
        return [wording(first, self._brand), wording("en" if first == "pl" else "pl", self._brand)]

    def _language(self, invitation: Invitation, visit: Visit) -> Language:
        return choose(_known(visit.asked) or invitation.language, visit.accept_language)

    def _refused(
        self, invitation: Invitation, filled: Filled, visit: Visit, status: int, why: str, code: str | None = None
    ) -> Answered:
        """`code` is the name that other refusals of this kind are counted under."""
        self._counters.refused.labels(code or f"survey_{why}").inc()
        say = wording(self._language(invitation, visit), self._brand)
        numbers = {"most": say.number(LONGEST_COMMENT), "count": say.number(len(filled.text))}
        error = say.text(f"error.{why}", **numbers)
        return self._page(invitation, filled, visit, status, kind="refused", error=error)

    def _page(
        self,
        invitation: Invitation,
        filled: Filled,
        visit: Visit,
        status: int,
        kind: Kind = "ask",
        error: str | None = None,
    ) -> Answered:
        say = wording(self._language(invitation, visit), self._brand)
        page = survey_page(invitation, filled, say, self._now(), self._zone, kind=kind, error=error)
        return Answered(status, page, say, _RETRY_SECONDS if status in (429, 503) else None)

    def _now(self) -> datetime:
        return self._clock.now()


def _known(language: str) -> Language | None:
    """None for what is no language of ours: a link that somebody changed still opens."""
    return "pl" if language == "pl" else "en" if language == "en" else None
