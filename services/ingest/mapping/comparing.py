"""JMESPath's comparators, of two values that are there already."""

import operator
from collections.abc import Callable
from typing import Any

from jmespath.visitor import TreeInterpreter

_ORDERS = {"lt": operator.lt, "gt": operator.gt, "lte": operator.le, "gte": operator.ge}
_ORDERED = (str, int, float)
_equal = TreeInterpreter.COMPARATOR_FUNC["eq"]


def compare(kind: str) -> Callable[[Any, Any], Any]:
    """`kind` as jmespath calls it: eq, ne, lt, …"""
    order, expected = _ORDERS.get(kind), kind == "eq"

    def compared(first: Any, second: Any) -> Any:
        if order is None:
            equal = first == second if type(first) is str else bool(_equal(first, second))
            return equal is expected
        return order(first, second) if _is_ordered(first) and _is_ordered(second) else None

    return compared


def _is_ordered(value: Any) -> bool:
    """As jmespath has it: numbers, and text among itself."""
    return type(value) in _ORDERED
