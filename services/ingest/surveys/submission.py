"""What a person sent from the page, and the event it becomes. Pure.

One invitation is one answer, and each answer a revision of it. Nothing is kept here, so the revision is the time:
milliseconds since 1970, and always above the revision that the page has seen.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw

from services.ingest.sent_event import EscapedEvent, SentEvent
from services.ingest.surveys.invitations import Invitation
from services.ingest.surveys.questions import QUESTIONS
from shared.events.feedback import RECEIVED, UPDATED, Answer

SOURCE = "/surveys"
LONGEST_COMMENT = 5_000
MOST_BYTES = 64 * 1024
_MOST_FIELDS = 20
_CLOCKS_DIFFER = timedelta(hours=1)  # between two processes; a revision further ahead was not ours
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CARRIED_OVER = (
    *("customer", "order_id", "contact_id", "followup_id", "touchpoint", "journey_stage", "channel", "product"),
    *("store", "agent", "team", "segment", "campaign", "survey_id"),
)


@dataclass(frozen=True)
class Form:
    """The fields as sent, tidied. `seen` is the revision that the page was told of, None on a first answer."""

    score: str = ""
    text: str = ""
    language: str = ""
    seen: int | None = None

    @property
    def is_too_long(self) -> bool:
        return len(self.text) > LONGEST_COMMENT


def read_form(body: bytes) -> Form:
    """A form that cannot be read has no fields; what is no UTF-8 in it becomes U+FFFD."""
    try:
        found = parse_qsl(body.decode("ascii", "replace"), max_num_fields=_MOST_FIELDS, errors="replace")
    except ValueError:
        return Form()
    fields = dict(found)
    revision = fields.get("revision", "")
    return Form(
        score=fields.get("score", ""),
        text=tidied(fields.get("text", "")),
        language=fields.get("lang", ""),
        seen=int(revision) if re.fullmatch(r"[0-9]{1,16}", revision) else None,
    )


def tidied(text: str) -> str:
    """Line breaks as one character, control characters (nobody types them) left out, blank edges gone."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def revision_at(now: datetime, seen: int | None) -> int:
    """Above `seen`, unless `seen` is further ahead than two clocks can be."""
    revision = _milliseconds(now)
    if seen is not None and seen <= _milliseconds(now + _CLOCKS_DIFFER):
        return max(revision, seen + 1)
    return revision


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def answer_event(invitation: Invitation, score: int, form: Form, language: str, now: datetime) -> SentEvent:
    """`score` is one of the question's."""
    revision = revision_at(now, form.seen)
    answer = Answer(
        metric=QUESTIONS[invitation.metric].metric,
        score=score,
        feedback_id=invitation.invitation_id,
        text=form.text or None,
        language=language,
        **{name: getattr(invitation, name) for name in _CARRIED_OVER},
    )
    return EscapedEvent(
        specversion="1.0",
        id=f"{invitation.invitation_id}/{revision}",
        source=SOURCE,
        type=RECEIVED if form.seen is None else UPDATED,
        revision=revision,
        data=Raw(msgspec.json.encode(answer)),
    )


def invited_event(invitation: Invitation) -> SentEvent:
    """The same for every link of one invitation."""
    told = {name: getattr(invitation, name) for name in ("invitation_id", "survey_id", "customer", "channel")}
    return EscapedEvent(
        specversion="1.0",
        id=invitation.invitation_id,
        source=SOURCE,
        type="survey.invited.v1",
        data=Raw(msgspec.json.encode(told)),
    )
