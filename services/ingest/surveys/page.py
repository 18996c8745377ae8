"""What stands on a survey's page: the question, what was chosen and typed, what became of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from services.ingest.surveys.invitations import Invitation
from services.ingest.surveys.questions import QUESTIONS, Metric
from services.ingest.surveys.submission import LONGEST_COMMENT
from services.ingest.surveys.wording import Wording

_LONGEST_ORDER = 24  # what a shop shows its customers is short; what is longer is a machine's


@dataclass(frozen=True)
class Score:
    """`label` stands on the button; `meaning` is told to those who do not see the whole scale."""

    value: int
    label: str
    meaning: str | None
    chosen: bool


@dataclass(frozen=True)
class Filled:
    """What is in the form: `score` None when nothing is chosen; `seen` is the revision last recorded."""

    score: int | None = None
    text: str = ""
    seen: int | None = None


Kind = Literal["ask", "refused", "recorded"]


@dataclass(frozen=True)
class Page:
    """`low` and `high` say what the ends mean; a question of two answers has none. `error` is a whole sentence."""

    kind: Kind
    metric: Metric
    title: str
    question: str
    scores: Sequence[Score]
    open_until: str
    filled: Filled
    low: str | None = None
    high: str | None = None
    about: str | None = None
    error: str | None = None
    thanks: Sequence[str] = field(default_factory=tuple)
    longest: int = LONGEST_COMMENT

    @property
    def asks_for_comment(self) -> bool:
        """Not before there is a score: one thing at a time."""
        return self.filled.score is not None or bool(self.filled.text)


@dataclass(frozen=True)
class Closed:
    """Why a link leads nowhere, in every language: whose it was is not known."""

    reason: Literal["unknown", "expired"]
    wordings: Sequence[Wording]


def survey_page(
    invitation: Invitation,
    filled: Filled,
    say: Wording,
    now: datetime,
    zone: ZoneInfo,
    *,
    kind: Kind,
    error: str | None,
) -> Page:
    metric = invitation.metric
    question = say.named(f"question.{metric}")
    low, high = _ends(metric, say)
    thanks = _thanks(metric, filled.score, say) if kind == "recorded" and filled.score is not None else ()
    return Page(
        kind=kind,
        metric=metric,
        title={"ask": question, "refused": say.text("not_sent"), "recorded": " ".join(thanks[:2])}[kind],
        question=question,
        scores=_scores(metric, filled.score, say),
        open_until=say.day(invitation.open_until.astimezone(zone).date(), now.astimezone(zone).date()),
        filled=filled,
        low=low,
        high=high,
        about=_about(invitation, say),
        error=error,
        thanks=thanks,
    )


def _scores(metric: Metric, chosen: int | None, say: Wording) -> list[Score]:
    scores = QUESTIONS[metric].scores
    meanings = {scores[0]: f"low.{metric}", scores[-1]: f"high.{metric}"}
    return [
        Score(score, _label(metric, score, say), say.texts.get(meanings.get(score, "")), score == chosen)
        for score in scores
    ]


def _label(metric: Metric, score: int, say: Wording) -> str:
    return say.texts.get(f"score.{score}.{metric}", str(score))


def _ends(metric: Metric, say: Wording) -> tuple[str | None, str | None]:
    if f"low.{metric}" not in say.texts:
        return None, None
    low, *_, high = QUESTIONS[metric].scores
    return (
        say.text("end", score=low, meaning=say.text(f"low.{metric}")),
        say.text("end", score=high, meaning=say.text(f"high.{metric}")),
    )


def _about(invitation: Invitation, say: Wording) -> str | None:
    if invitation.followup_id:
        return say.text("about.followup")
    if invitation.order_id and len(invitation.order_id) <= _LONGEST_ORDER:
        return say.text("about.order", order=invitation.order_id)
    return None


def _thanks(metric: Metric, score: int, say: Wording) -> tuple[str, str, str]:
    """Thanks, what was answered, what became of it."""
    told = say.text("thanks.answer" if metric == "recommend" else "thanks.score", score=_label(metric, score, say))
    sorry = score <= QUESTIONS[metric].sorry_up_to
    return say.text("thanks"), told, say.text("thanks.sorry" if sorry else "thanks.kept")
