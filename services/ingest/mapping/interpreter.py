"""What an evaluation may cost: JMESPath has no loops, but `[@, @] | [@, @] | …` doubles its value at every step.

One budget for a row or a delivery. Every node that is evaluated costs of it, and every value: when a node makes it, as
much as is new; when a function or a comparison reads it, and when it leaves an expression, all of it, counted as if
values were never shared. So no step works on more than the budget has left.
"""

from collections.abc import Callable
from typing import Any

from services.ingest.mapping.functions import Functions

# About half a second at worst; the largest row that is read costs 65,000 a use.
ROW_BUDGET = 500_000
_CHARACTERS_A_UNIT = 16


class BudgetError(ValueError):
    """The budget is spent."""


class Interpreter:
    """One row's evaluation. `left` in units of a node or 16 characters; whoever takes many at once pays by `pay`."""

    __slots__ = ("functions", "left")

    def __init__(self, functions: Functions, budget: int = ROW_BUDGET) -> None:
        self.functions = functions
        self.left = budget

    def pay(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise BudgetError("the expressions build too much out of this row: make them simpler")

    def pay_for(self, value: Any) -> None:
        kind = type(value)
        if kind is list or kind is dict:
            self._pay_for_all_of(value)
        elif kind is str:
            self.pay(1 + len(value) // _CHARACTERS_A_UNIT)
        else:
            self.pay(1)

    def pay_for_join(self, separator: Any, parts: Any) -> None:
        """Before it is made."""
        if isinstance(separator, str) and isinstance(parts, list):
            self.pay(len(separator) * len(parts) // _CHARACTERS_A_UNIT)

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
                    if len(one) >= _CHARACTERS_A_UNIT:
                        self.pay(len(one) // _CHARACTERS_A_UNIT)
                elif kind is list or kind is dict:
                    waiting.append(one)


def is_true(value: Any) -> bool:
    """JMESPath's truth: false are null, false, and empty text, lists and objects; 0 is true."""
    return not (value is None or value is False or value == "" or value == [] or value == {})


Evaluate = Callable[[Any, Interpreter], Any]  # a node as a function of the value that it is asked of
