"""What a look at an installation found: one line each, for people and for scripts."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Level = Literal["ok", "warn", "fail"]


class Finding(NamedTuple):
    """`fail` breaks a promise or keeps Pętla from running; `warn` should be looked at. The sentence says what to do."""

    level: Level
    name: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.level:<4}  {self.name}  {self.sentence}"


def any_fails(findings: Iterable[Finding]) -> bool:
    return any(finding.level == "fail" for finding in findings)
