"""The reconciliation as sums, every term of the API by itself, each with its own verdict. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.scoring.pages.dates import clock
from services.scoring.pages.wording import Wording

Numbers = Mapping[str, Any]


class Term(NamedTuple):
    label: str
    number: str


@dataclass(frozen=True)
class Sum:
    """`kind` of the verdict is balanced, counting or wrong."""

    heading: str
    total: Term
    terms: list[Term]
    kind: str
    verdict: str


@dataclass(frozen=True)
class Sums:
    note: str
    kind: str
    sums: list[Sum]


class _Part(NamedTuple):
    label: str
    number: int


def sums(answer: Numbers, zone: ZoneInfo, wording: Wording) -> Sums:
    """From the answer of `GET /v1/reconciliation`; topics are told by which of them the answers are in."""
    settled = answer["settled"]
    verdict = _Verdicts(settled, wording)
    detractors = answer["detractors"]
    made = []
    for topic, numbers in answer["topics"].items():
        is_feedback = topic.endswith("feedback")
        heading = wording.text("sum.feedback" if is_feedback else "sum.activity")
        made.append(verdict.sum(heading, _part("read", numbers["read"], wording), _topic(numbers, wording), numbers))
        if is_feedback:
            made.append(_answers(numbers["new"], answer["feedback"], verdict, wording))
    total = _part("detractors", detractors["total"], wording)
    heading = wording.text("sum.detractors")
    made.append(verdict.sum(heading, total, _detractors(detractors, wording), detractors))
    kind = "unsettled" if not settled else "settled" if answer["balanced"] else "unbalanced"
    at = clock(datetime.fromisoformat(answer["as_of"]["at"]).astimezone(zone))
    return Sums(wording.text(f"sums.note.{kind}", at=at), kind, made)


class _Verdicts:
    """What is wrong before everything is counted is not wrong yet."""

    def __init__(self, settled: bool, wording: Wording) -> None:
        self._settled = settled
        self._wording = wording

    def sum(self, heading: str, total: _Part, parts: Sequence[_Part], numbers: Numbers) -> Sum:
        kind, verdict = self._verdict(total.number - sum(part.number for part in parts), numbers)
        return Sum(heading, self._term(total), [self._term(part) for part in parts], kind, verdict)

    def _verdict(self, difference: int, numbers: Numbers) -> tuple[str, str]:
        lost, missing = numbers.get("lost", 0), numbers.get("missing", 0)
        if not (difference or lost or missing):
            return "balanced", self._wording.text("verdict.balanced")
        if not self._settled:
            return "counting", self._wording.text("verdict.counting")
        if difference:
            return "wrong", self._wording.text("verdict.difference", n=self._wording.numerals.signed(difference))
        if lost:
            return "wrong", self._wording.text("verdict.lost", events=self._wording.counted("events", lost))
        return "wrong", self._wording.text("verdict.missing", n=self._wording.numerals.plain(missing))

    def _term(self, part: _Part) -> Term:
        return Term(part.label, self._wording.numerals.plain(part.number))


def _topic(numbers: Numbers, wording: Wording) -> list[_Part]:
    rejected = [_Part(_coded("rejected", reason, wording), n) for reason, n in numbers["rejected"].items()]
    return [
        *(_part(name, numbers[name], wording) for name in ("new", "duplicates", "conflicts")),
        *(rejected or [_part("rejected", 0, wording)]),
    ]


def _answers(new: int, feedback: Numbers, verdict: _Verdicts, wording: Wording) -> Sum:
    parts = [_part(name, feedback[name], wording) for name in ("scored", "retracted", "superseded")]
    return verdict.sum(wording.text("sum.answers"), _part("new", new, wording), parts, {})


def _detractors(detractors: Numbers, wording: Wording) -> list[_Part]:
    suppressed = [_Part(_coded("suppressed", reason, wording), n) for reason, n in detractors["suppressed"].items()]
    return [
        _part("followups", detractors["followups"], wording),
        *(suppressed or [_Part(wording.text("suppressed"), 0)]),
        _part("missing", detractors["missing"], wording),
    ]


def _part(name: str, number: int, wording: Wording) -> _Part:
    return _Part(wording.text(f"term.{name}"), number)


def _coded(prefix: str, code: str, wording: Wording) -> str:
    return wording.known(prefix, code)
