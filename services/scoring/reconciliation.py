"""Whether it all adds up: what was read, scored and rejected; detractors against follow-ups and suppressions. Pure.

`read` comes from offsets, the outcomes from a tally of batches, the facts from rows: three counts made apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import rfc3339
from shared.consumer.progress import TopicProgress
from shared.log.port import Bounds

Ends = Mapping[str, Mapping[int, Bounds]]


@dataclass(frozen=True)
class Consumed:
    """Full topic names: the one of feedback, the others scoring reads, and those alerts reads.

    Deliveries (`raw`) are read to their end like the others; they are no facts, so they are counted by `/v1/sources`.
    """

    feedback: str
    activity: str
    followups: str
    by_alerts: Sequence[str]
    raw: str

    @property
    def by_scoring(self) -> tuple[str, ...]:
        return self.feedback, self.activity, self.followups, self.raw

    @property
    def facts(self) -> tuple[str, ...]:
        """Where every record is told a new fact from a duplicate, a conflict and a rejected one."""
        return self.feedback, self.activity


@dataclass(frozen=True)
class Rows:
    """Counts of one snapshot: `detractors` by `followup`, a suppression's reason, or `missing`."""

    at: datetime
    scored: int
    retracted: int
    superseded: int
    detractors: dict[str, int]
    unpublished: int
    alerts_positions: dict[str, dict[int, int]]


def reconcile(rows: Rows, progress: Mapping[str, TopicProgress], ends: Ends, topics: Consumed) -> dict[str, Any]:
    """`ends` are the bounds of every topic that scoring or alerts reads."""
    known = {topic: progress.get(topic, TopicProgress()) for topic in topics.by_scoring}
    counted = {topic: _topic(known[topic]) for topic in topics.facts}
    feedback = {"scored": rows.scored, "retracted": rows.retracted, "superseded": rows.superseded}
    detractors = _detractors(rows)
    balanced = (
        all(_adds_up(topic) and not topic["lost"] for topic in counted.values())
        and counted[topics.feedback]["new"] == sum(feedback.values())
        and not detractors["missing"]
    )
    return {
        "as_of": {"at": rfc3339(rows.at), "offsets": {topic: _named(one.offsets) for topic, one in known.items()}},
        "settled": _settled(rows, known, ends, topics),
        "balanced": balanced,
        "topics": counted,
        "feedback": feedback,
        "detractors": detractors,
    }


def _topic(progress: TopicProgress) -> dict[str, Any]:
    outcomes = progress.outcomes
    return {
        "read": progress.read,
        "new": outcomes.get("new", 0),
        "duplicates": outcomes.get("duplicate", 0),
        "conflicts": outcomes.get("conflict", 0),
        "rejected": progress.rejected,
        "lost": progress.lost,
    }


def _adds_up(topic: dict[str, Any]) -> bool:
    outcomes = topic["new"] + topic["duplicates"] + topic["conflicts"] + sum(topic["rejected"].values())
    return bool(topic["read"] == outcomes)


def _detractors(rows: Rows) -> dict[str, Any]:
    suppressed = {reason: n for reason, n in sorted(rows.detractors.items()) if reason not in ("followup", "missing")}
    return {
        "total": sum(rows.detractors.values()),
        "followups": rows.detractors.get("followup", 0),
        "suppressed": suppressed,
        "missing": rows.detractors.get("missing", 0),
    }


def _settled(rows: Rows, known: Mapping[str, TopicProgress], ends: Ends, topics: Consumed) -> bool:
    """Scoring has read its topics to their ends and sent what came of it, and alerts has read its own to their ends."""
    own = (reached(one.offsets, ends[topic]) for topic, one in known.items())
    theirs = (reached(rows.alerts_positions.get(topic, {}), ends[topic]) for topic in topics.by_alerts)
    return not rows.unpublished and all(own) and all(theirs)


def reached(offsets: Mapping[int, int], bounds: Mapping[int, Bounds]) -> bool:
    return all(offsets.get(number, 0) >= end for number, (_, end) in bounds.items())


def _named(offsets: Mapping[int, int]) -> dict[str, int]:
    return {str(number): offsets[number] for number in sorted(offsets)}
