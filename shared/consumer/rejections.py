"""When setting records aside has to stop, because going on would empty the topic into the dead letters. Pure.

Only what is committed counts on: a batch that has to be tried again is not counted twice.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared.consumer.messages import Item, Letter, letters_among

MAX_IN_A_ROW = 50
RATIO_FROM = 100


class Halted(Exception):  # noqa: N818 - a state, not a mistake
    """Too much cannot be processed; the message says what and where."""


class Rejected(NamedTuple):
    """Letters since the last record that could be processed, and letters of the batch under way."""

    in_a_row: int = 0
    of_batch: int = 0


class Rejections:
    """`unlimited`: an operator has looked, and wants to get past them."""

    def __init__(self, *, unlimited: bool = False) -> None:
        self._unlimited = unlimited
        self._committed = Rejected()
        self._batch_size = 0

    def begin(self, batch_size: int) -> None:
        self._committed = Rejected(self._committed.in_a_row)
        self._batch_size = batch_size

    def with_more(self, items: Sequence[Item]) -> Rejected:
        """The counts once `items` are committed; raises `Halted` where they must not be."""
        in_a_row, of_batch = self._committed
        if not letters_among(items):
            return Rejected(0, of_batch)
        for item in items:
            if not isinstance(item, Letter):
                in_a_row = 0
                continue
            in_a_row += 1
            of_batch += 1
            if self._unlimited:
                continue
            if in_a_row > MAX_IN_A_ROW:
                raise Halted(_message(item, f"{in_a_row} records in a row"))
            if self._batch_size >= RATIO_FROM and of_batch * 10 > self._batch_size:
                raise Halted(_message(item, f"{of_batch} of {self._batch_size} records"))
        return Rejected(in_a_row, of_batch)

    def committed(self, counts: Rejected) -> None:
        self._committed = counts


def _message(letter: Letter, how_many: str) -> str:
    """Shown to anyone who asks for readiness: without the letter's detail, which may quote the record."""
    topic, number = letter.record.partition
    return (
        f"stopped: {how_many} of {topic} cannot be processed, the last at partition {number} offset"
        f" {letter.record.offset} ({letter.reason}). Restart with a version that can, or with PETLA_SET_ASIDE_ALL=true"
        " to set all aside."
    )
