"""What a list of sent events must come to, counted in the plainest way and with nothing of the product.

The rules are those of the public contract: the highest revision is the answer, a detractor is a detractor.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

Event = dict[str, Any]
MOST_DAYS = 30
SCORED = ("nps", "csat", "ces", "rating", "recommend")
DIGITS = 9  # of a value: what an order of additions can change lies behind them


@dataclass
class Counted:
    """One metric, or one metric in one channel."""

    n: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    histogram: Counter[str] = field(default_factory=Counter)
    value: float | None = None


@dataclass
class Totals:
    """Everything that is compared with the running system; equal to the last unit or something was lost or doubled."""

    metrics: dict[str, Counted] = field(default_factory=lambda: defaultdict(Counted))
    channels: dict[tuple[str, str | None], Counted] = field(default_factory=lambda: defaultdict(Counted))
    retracted_of: Counter[str] = field(default_factory=Counter)
    facts: int = 0  # a revision of an answer each
    scored: int = 0
    retracted: int = 0
    deliveries: Counter[str] = field(default_factory=Counter)
    activity_facts: int = 0
    detractors: int = 0
    followups: int = 0
    suppressed: Counter[str] = field(default_factory=Counter)


def count(events: Iterable[Event], now: datetime) -> Totals:
    totals = Totals()
    answers: dict[str, dict[int, Event]] = defaultdict(dict)
    happened: dict[tuple[str, str], Event] = {}
    for event in events:
        if event["type"].startswith("feedback."):
            answers[event["data"].get("feedback_id", event["id"])][event.get("revision", 0)] = event
        else:
            happened[event["type"], event["id"]] = event
    totals.activity_facts = len(happened)
    _count_deliveries(happened, totals)
    detractors = [current for revisions in answers.values() if (current := _count_answer(revisions, totals))]
    _count_followups(detractors, now, totals)
    for metric, counted in totals.metrics.items():
        counted.value = value(metric, counted)
    return totals


def value(metric: str, counted: Counted) -> float:
    """Of at least one answer: points for `nps`, percent for `csat` and `recommend`, else the mean."""
    match metric:
        case "nps":
            found = 100 * (counted.counts["promoter"] - counted.counts["detractor"]) / counted.n
        case "csat" | "recommend":
            found = 100 * counted.counts["positive"] / counted.n
        case _:
            found = sum(float(score) * n for score, n in counted.histogram.items()) / counted.n
    return round(found, DIGITS)


def _count_answer(revisions: dict[int, Event], totals: Totals) -> Event | None:
    """The current revision where it is a detractor."""
    totals.facts += len(revisions)
    current = revisions[max(revisions)]
    if current["type"] == "feedback.retracted.v1":
        totals.retracted += 1
        known = [number for number, event in revisions.items() if "metric" in event["data"]]
        if known:
            totals.retracted_of[revisions[max(known)]["data"]["metric"]] += 1
        return None
    totals.scored += 1
    data = current["data"]
    if data["metric"] == "comment":
        return None
    named = group(data["metric"], data["score"])
    for counted in (totals.metrics[data["metric"]], totals.channels[data["metric"], data.get("channel")]):
        counted.n += 1
        counted.counts[named] += 1
        counted.histogram[f"{data['score']:g}"] += 1
    return current if named == "detractor" else None


def group(metric: str, score: float) -> str:
    match metric:
        case "nps":
            return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
        case "recommend":
            return "positive" if score == 1 else "detractor"
        case "ces":  # of 7; the lowest 40 % end at 3.4
            return "positive" if score >= 5 else "neutral" if score >= 4 else "detractor"
        case _:  # of 5; the lowest 40 % end at 2.6
            return "positive" if score >= 4 else "neutral" if score >= 3 else "detractor"


def _count_followups(detractors: list[Event], now: datetime, totals: Totals) -> None:
    submissions: set[str] = set()
    totals.detractors = len(detractors)
    for event in detractors:
        submission = event["data"].get("submission_id")
        if now - datetime.fromisoformat(event["time"]) > timedelta(days=MOST_DAYS):
            totals.suppressed["too_old"] += 1
        elif submission in submissions:
            totals.suppressed["same_submission"] += 1
        else:
            totals.followups += 1
            submissions |= {submission} if submission else set()


def _count_deliveries(happened: dict[tuple[str, str], Event], totals: Totals) -> None:
    promises: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (kind, _), event in happened.items():
        if kind == "delivery.promised.v1":
            promises[event["data"]["order_id"]].append((event["time"], event["data"]["promised_date"]))
    for (kind, _), event in happened.items():
        if kind == "delivery.completed.v1":
            promised = promises.get(event["data"]["order_id"])
            completed = datetime.fromisoformat(event["data"]["completed_at"]).date()
            late = promised and completed > date.fromisoformat(min(promised)[1])
            totals.deliveries["late" if late else "on_time" if promised else "no_promise"] += 1
