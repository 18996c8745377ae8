"""The questions a survey may ask: one answer with its scale, the same for every brand. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Metric = Literal["nps", "csat", "ces", "rating", "recommend"]


@dataclass(frozen=True)
class Question:
    """`scores` in the order of the page. Up to `sorry_up_to`, below the middle, the page says that it is sorry."""

    metric: Metric
    scores: Sequence[int]
    sorry_up_to: int

    def score(self, text: str) -> int | None:
        """The score that `text` names, None when it is none of this question's."""
        return next((score for score in self.scores if text == str(score)), None)


QUESTIONS: Mapping[Metric, Question] = {
    "nps": Question("nps", range(11), 4),
    "csat": Question("csat", range(1, 6), 2),
    "ces": Question("ces", range(1, 8), 3),
    "rating": Question("rating", range(1, 6), 2),
    "recommend": Question("recommend", (1, 0), 0),
}
