"""What an evaluation may cost: JMESPath has no loops, but `[@, @] | [@, @] | …` doubles its value at every step.

One budget for a row or a delivery. Every node that is evaluated costs of it, and every value: when a node makes it, as
much as is new; when a function or a comparison reads it, and when it leaves an expression, all of it, counted as if
values were never shared. So no step works on more than the budget has left.
"""

from collections.abc import Callable
from typing import Any

# About half a second at worst; the largest row that is read costs 65,000 a use.
ROW_BUDGET = 500_000
CHARACTERS_A_UNIT = 16
_SPENT = "the expressions build too much out of this row: make them simpler"
NUMBERS = (int, float)  # as types: true is none


class BudgetError(ValueError):
    """The budget is spent."""


class Interpreter:
    """One row's evaluation. `left` in units of a node or 16 characters; whoever takes many at once pays by `pay`.

    What costs no more than the expression is long is taken off `left` at once: the next payment sees to it.
    """

    __slots__ = ("left",)

    def __init__(self, budget: int = ROW_BUDGET) -> None:
        self.left = budget

    def pay(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise BudgetError(_SPENT)

    def pay_for(self, value: Any) -> None:
        kind = type(value)
        if kind is list or kind is dict:
            self._pay_for_all_of(value)
            return
        self.left -= 1 + len(value) // CHARACTERS_A_UNIT if kind is str else 1
        if self.left < 0:
            raise BudgetError(_SPENT)

    def pay_for_join(self, separator: Any, parts: Any) -> None:
        """Before it is made."""
        if isinstance(separator, str) and isinstance(parts, list):
            self.pay(len(separator) * len(parts) // CHARACTERS_A_UNIT)

    def _pay_for_all_of(self, value: Any) -> None:
        """What stands in a list or an object is paid for before it is looked at."""
        waiting = [value]
        while waiting:
            item = waiting.pop()
            inner = item.values() if type(item) is dict else item
            self.pay(1 + 2 * len(item))
            for one in inner:
                kind = type(one)
                if kind is str:
                    if len(one) >= CHARACTERS_A_UNIT:
                        self.pay(len(one) // CHARACTERS_A_UNIT)
                elif kind is list or kind is dict:
                    waiting.append(one)


def is_true(value: Any) -> bool:
    """JMESPath's truth: false are null, false, and empty text, lists and objects; 0 is true."""
    return bool(value) or type(value) in NUMBERS


Evaluate = Callable[[Any, Interpreter], Any]  # a node as a function of the value that it is asked of
