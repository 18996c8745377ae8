"""What the numbers should be, worked out the slow way from a list of events: no database, no rollups, no order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.scoring.metrics.cells import Cells, Scale
from services.scoring.question import Question
from services.scoring.sampling import Samples
from shared.log.port import NewRecord
from tests.builders import ANSWERED, answer, retraction

SCALES = {"nps": (0, 10), "csat": (1, 5), "rating": (1, 5), "ces": (1, 7), "recommend": (0, 1)}


@dataclass(frozen=True)
class Fact:
    """One revision of an answer; without a metric it is a retraction. `named` are its dimensions, in sorted pairs."""

    name: str
    revision: int
    metric: str | None = None
    score: float | None = None
    time: datetime = ANSWERED
    named: tuple[tuple[str, str], ...] = ()
    scale: tuple[float, float] | None = None
    direction: str = "higher_better"
    sender: str = field(default="shop")

    def record(self) -> NewRecord:
        if self.metric is None:
            return retraction(self.name, self.revision, sender=self.sender)
        ends = {"scale_min": self.scale[0], "scale_max": self.scale[1]} if self.scale else {}
        data: dict[str, Any] = {**ends, **dict(self.named), "time": self.time, "sender": self.sender}
        if self.direction != "higher_better":
            data["direction"] = self.direction
        return answer(self.name, self.score, self.revision, metric=self.metric, **data)

    def value(self, dimension: str) -> str | None:
        return self.sender if dimension == "source" else dict(self.named).get(dimension)


def standing(facts: Iterable[Fact]) -> list[tuple[Fact, bool]]:
    """The answer that stands for each feedback, and whether it was taken back."""
    known: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        known.setdefault((fact.sender, fact.name), []).append(fact)
    found = []
    for revisions in known.values():
        newest = max(revisions, key=lambda fact: fact.revision)
        answers = [fact for fact in revisions if fact.metric is not None]
        if answers:
            found.append((max(answers, key=lambda fact: fact.revision), newest.metric is None))
    return found


def samples(facts: Iterable[Fact], question: Question) -> Samples:
    """As the store reads them."""
    found: Samples = {}
    for fact, retracted in standing(facts):
        if fact.metric != question.definition.reads or not asked_for(fact, question):
            continue
        buckets = question.buckets or [question.window]
        (bucket,) = (at for at, one in enumerate(buckets) if one.start <= fact.time < one.end)
        key = tuple(fact.value(dimension) for dimension in question.group_by)
        cells = found.setdefault((key, bucket), Cells())
        assert isinstance(cells, Cells)
        if retracted:
            cells.excluded["retracted"] = cells.excluded.get("retracted", 0) + 1
        else:
            low, high = fact.scale or SCALES[fact.metric or ""]
            cells.add(Scale(round(10 * low), round(10 * high), fact.direction), round(10 * (fact.score or 0)))
    return found


def asked_for(fact: Fact, question: Question) -> bool:
    return question.window.start <= fact.time < question.window.end and all(
        fact.value(dimension) in allowed for dimension, allowed in question.filters.items()
    )
