"""Evaluation that ends: JMESPath has no loops, but `[@, @] | [@, @] | …` doubles its value at every step.

Every visited node, every value that a node makes and every value that a function or a comparison reads costs units
of one budget a row, counted as if values were never shared. So no step works on more than the budget has left.
"""

from typing import Any

from jmespath.visitor import Options, TreeInterpreter

from services.ingest.mapping.functions import Functions

# About half a second at worst; the largest row that is read costs 65,000 a use.
ROW_BUDGET = 500_000
_CHARACTERS_A_UNIT = 16
_CREATES = frozenset(
    (
        "function_expression",
        "multi_select_list",
        "multi_select_dict",
        "flatten",
        "projection",
        "filter_projection",
        "value_projection",
    )
)


class BudgetError(ValueError):
    """The row's budget is spent."""


class Interpreter(TreeInterpreter):
    """One row's evaluation; `budget` in units of a visited node or 16 characters."""

    def __init__(self, functions: Functions, budget: int = ROW_BUDGET) -> None:
        super().__init__(Options(custom_functions=functions))
        self._calls = functions
        self._left = budget

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._pay(1)
        result = super().visit(node, *args, **kwargs)
        if node["type"] in _CREATES:
            self._pay_for(result)
        return result

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        arguments = [self.visit(child, value) for child in node["children"]]
        self._pay_for(arguments)
        if node["value"] == "join" and isinstance(arguments[0], str) and isinstance(arguments[1], list):
            self._pay(len(arguments[0]) * len(arguments[1]) // _CHARACTERS_A_UNIT)
        return self._calls.call_function(node["value"], arguments)

    def visit_comparator(self, node: Any, value: Any) -> Any:
        sides = [self.visit(child, value) for child in node["children"]]
        self._pay_for(sides)
        literals = [{"type": "literal", "children": [], "value": side} for side in sides]
        compared: Any = {"type": "comparator", "value": node["value"], "children": literals}
        return super().visit_comparator(compared, value)

    def is_true(self, value: Any) -> bool:
        """JMESPath's truth: false are null, false, and empty text, lists and objects; 0 is true."""
        return not (value is None or value is False or value == "" or value == [] or value == {})

    def _pay(self, units: int) -> None:
        self._left -= units
        if self._left < 0:
            raise BudgetError("the expressions build too much out of this row: make them simpler")

    def _pay_for(self, value: Any) -> None:
        waiting = [value]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                self._pay(1 + len(item) // _CHARACTERS_A_UNIT)
            elif isinstance(item, list):
                self._pay(1 + len(item))
                waiting.extend(item)
            elif isinstance(item, dict):
                self._pay(1 + len(item))
                waiting.extend(item.values())
            else:
                self._pay(1)
