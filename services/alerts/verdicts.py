"""Which follow-up a detractor belongs to: its own, the one of its submission, or none, with the reason. No I/O.

A follow-up is alive while any feedback keeps it so: its own, or one that joined it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.alerts import rules
from services.alerts.models import Followup
from shared.events.envelope import fact_id
from shared.events.followups import SuppressionReason
from shared.events.scores import FeedbackScored


class News(NamedTuple):
    """The highest revision of a feedback, and the follow-up that the feedback kept alive before it.

    `was_seen`: a lower revision has been here before. `about` is the follow-up that the customer was asked about, after
    somebody had dealt with it. `traceparent` is the request that brought it, where that was traced.
    """

    scored: FeedbackScored
    feedback: UUID
    submission: UUID | None
    kept: UUID | None
    was_seen: bool
    is_detractor: bool
    traceparent: str | None = None
    about: UUID | None = None


class Verdict(NamedTuple):
    """`keeps` is the follow-up that the feedback keeps alive from now on; `reason` why it opened none of its own."""

    news: News
    keeps: UUID | None = None
    reason: SuppressionReason | None = None


def is_detractor(scored: FeedbackScored) -> bool:
    return not scored.retracted and scored.group == rules.DETRACTOR


def news_of(scored: FeedbackScored, kept: UUID | None, was_seen: bool, traceparent: str | None) -> News:
    """A submission belongs to its sender."""
    submission = fact_id("submission", scored.sender, scored.submission_id) if scored.submission_id else None
    about = _uuid(scored.followup_id) if scored.followup_id else None
    feedback = UUID(scored.feedback)
    return News(scored, feedback, submission, kept, was_seen, is_detractor(scored), traceparent, about)


def _uuid(name: str) -> UUID | None:
    """None for what names no follow-up of ours."""
    try:
        return UUID(name)
    except ValueError:
        return None


@dataclass
class Known:
    """The follow-ups a batch is about, and whose answers nobody may act on (`barred`)."""

    barred: dict[UUID, SuppressionReason] = field(default_factory=dict)
    by_id: dict[UUID, Followup] = field(default_factory=dict)
    _by_feedback: dict[UUID, Followup] = field(default_factory=dict)
    _by_submission: dict[UUID, Followup] = field(default_factory=dict)

    def add(self, found: Iterable[Followup]) -> None:
        for followup in found:
            self.by_id[followup.id] = self._by_feedback[followup.feedback] = followup
            if followup.submission:
                self._by_submission[followup.submission] = followup

    def asked_about(self, one: News) -> Followup | None:
        """The follow-up that the customer was asked about; not one of somebody else, nor one that was withdrawn."""
        found = self.by_id.get(one.about) if one.about else None
        if found is None or found.state == "withdrawn" or found.feedback == one.feedback:
            return None
        is_theirs = None in (found.customer, one.scored.customer) or found.customer == one.scored.customer
        return found if is_theirs else None

    def without_followup(self, news: Sequence[News]) -> list[News]:
        """Those that a follow-up has to be opened for: the first of each submission that has none."""
        found, taken = [], set(self._by_submission)
        for one in news:
            needed = one.is_detractor and one.feedback not in self.barred and one.feedback not in self._by_feedback
            if needed and one.submission not in taken and not self.asked_about(one):
                found.append(one)
                taken |= {one.submission} if one.submission else set()
        return found

    def judge(self, one: News) -> Verdict:
        """To be asked once `without_followup` were opened: what may be acted on has a follow-up to go to."""
        if not one.is_detractor:
            return Verdict(one)
        own = self._by_feedback.get(one.feedback)
        if own and own.state != "withdrawn":
            return Verdict(one, own.id)
        if reason := self.barred.get(one.feedback):
            return Verdict(one, None, reason)
        if again := self.asked_about(one):
            return Verdict(one, again.id, "same_submission")
        joined = self._by_submission.get(one.submission) if one.submission else None
        if joined and joined.feedback != one.feedback:
            return Verdict(one, joined.id, "same_submission")
        assert own, "a detractor that may be acted on has a follow-up"
        return Verdict(one, own.id)


def speaks_for(followup: Followup, keepers: Collection[FeedbackScored]) -> FeedbackScored:
    """The follow-up's own answer; where that does not keep it, the earliest that joined."""
    own = str(followup.feedback)
    return min(keepers, key=lambda answer: (answer.feedback != own, answer.time, answer.feedback))


def lost_note(verdict: Verdict, followup: Followup) -> str:
    """Why the feedback does not keep the follow-up alive any more."""
    whose = _whose(verdict, followup)
    if verdict.news.scored.retracted:
        return f"{whose} was retracted"
    if verdict.news.is_detractor:
        return f"{whose} belongs elsewhere now"
    return f"{whose} is no longer a detractor ({said(verdict.news.scored)})"


def changed_note(verdict: Verdict, followup: Followup) -> str:
    return f"{_whose(verdict, followup)} is a detractor in its newest revision ({said(verdict.news.scored)})"


def _whose(verdict: Verdict, followup: Followup) -> str:
    if verdict.news.about == followup.id:
        return "the answer to the survey after it"
    return "the answer" if verdict.news.feedback == followup.feedback else "another answer of the submission"


def said(scored: FeedbackScored) -> str:
    return f"{scored.metric}" if scored.score is None else f"{scored.metric} {scored.score:g}"
