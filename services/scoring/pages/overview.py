"""The overview as a whole: what is asked of scoring, and what is made of its answers.

The answers are those of the API, so that page and API cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.scoring.asking import Scores
from services.scoring.metrics.registry import METRICS
from services.scoring.pages import deadlines, ledger, strip
from services.scoring.pages.dates import clock, long_range
from services.scoring.pages.ledger import Row
from services.scoring.pages.sums import Sums, sums
from services.scoring.pages.wording import Wording
from services.scoring.question import ask
from services.scoring.waiting import OpenFollowups

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Answers:
    """Those of `GET /v1/metrics/{metric}` and `GET /v1/reconciliation`, and the open follow-ups at the time `at`."""

    metrics: Mapping[str, dict[str, Any]]
    reconciliation: dict[str, Any]
    followups: OpenFollowups
    at: datetime


@dataclass(frozen=True)
class Overview:
    """`empty`: nothing has ever arrived; then there is no ledger to show."""

    period: str
    days: str
    groups: list[tuple[str, list[Row]]]
    empty: bool
    waiting: deadlines.Waiting
    sums: Sums


async def gather(scores: Scores) -> Answers:
    now = scores.now()
    return Answers(
        metrics={metric: await scores.answer(_question(metric, scores, now)) for metric in ledger.METRICS},
        reconciliation=await scores.reconciliation(),
        followups=await scores.open_followups(strip.edges(now), deadlines.MOST_LISTED),
        at=now,
    )


def _question(metric: str, scores: Scores, now: datetime) -> Any:
    return ask(
        METRICS[metric],
        start=None,
        end=None,
        timezone=scores.timezone,
        granularity="week",
        group_by=None,
        compare_to="previous",
        confidence=_CONFIDENCE,
        filters={},
        now=now,
    )


def overview(answers: Answers, wording: Wording) -> Overview:
    window = next(iter(answers.metrics.values()))["window"]
    zone = ZoneInfo(window["timezone"])
    first, end = (datetime.fromisoformat(window[name]).astimezone(zone) for name in ("from", "to"))
    last = (end - timedelta(microseconds=1)).date()
    days = wording.counted("days", (last - first.date()).days + 1)
    return Overview(
        period=wording.text(
            "period",
            days=days,
            range=long_range(first.date(), last, wording),
            zone=_zone(zone, wording),
            at=clock(answers.at.astimezone(zone)),
        ),
        days=days,
        groups=ledger.rows(answers.metrics, wording, zone),
        empty=_is_empty(answers),
        waiting=deadlines.waiting(answers.followups, answers.at, zone, wording),
        sums=sums(answers.reconciliation, zone, wording),
    )


def _zone(zone: ZoneInfo, wording: Wording) -> str:
    return wording.texts.get(f"zone.{zone.key}") or wording.text("zone", name=zone.key)


def _is_empty(answers: Answers) -> bool:
    read = [topic["read"] for topic in answers.reconciliation["topics"].values()]
    return not any(read) and not any(answer["n"] for answer in answers.metrics.values())
