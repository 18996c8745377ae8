"""JMESPath's nodes as functions of a value, made once: evaluating them costs a third of walking the tree each time.

What they mean is jmespath's own (its TreeInterpreter says the same of every expression and value; a test compares).
"""

import operator
from collections.abc import Callable
from typing import Any

from jmespath.visitor import TreeInterpreter, _Expression

from services.ingest.mapping import projections
from services.ingest.mapping.interpreter import Evaluate, Interpreter, is_true

_ORDERS = {"lt": operator.lt, "gt": operator.gt, "lte": operator.le, "gte": operator.ge}
_Reference: Any = _Expression  # its functions know an expression by this name
_equal = TreeInterpreter.COMPARATOR_FUNC["eq"]


def compiled(node: Any) -> Evaluate:
    """`node` as jmespath's parser makes it."""
    return _MAKERS[node["type"]](node)


def _children(node: Any) -> list[Evaluate]:
    return [compiled(child) for child in node["children"]]


def _field(node: Any) -> Evaluate:
    name = node["value"]

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        return value.get(name) if isinstance(value, dict) else None

    return evaluate


def _sequence(node: Any) -> Evaluate:
    """a.b, a[0], a | b: each on what the one before gave."""
    if all(child["type"] == "field" for child in node["children"]):
        return _path([child["value"] for child in node["children"]])
    steps = _children(node)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        for step in steps:
            value = step(value, work)
        return value

    return evaluate


def _path(names: list[str]) -> Evaluate:
    cost = 1 + len(names)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= cost
        for name in names:
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    return evaluate


def _index(node: Any) -> Evaluate:
    at = node["value"]

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        return value[at] if isinstance(value, list) and -len(value) <= at < len(value) else None

    return evaluate


def _slice(node: Any) -> Evaluate:
    part = slice(*node["children"])

    def evaluate(value: Any, work: Interpreter) -> Any:
        if not isinstance(value, list):
            return None
        found = value[part]
        work.pay(1 + len(found))
        return found

    return evaluate


def _itself(_: Any) -> Evaluate:
    return lambda value, work: value


def _literal(node: Any) -> Evaluate:
    constant = node["value"]
    return lambda value, work: constant


def _multi_select_list(node: Any) -> Evaluate:
    children = _children(node)

    def evaluate(value: Any, work: Interpreter) -> Any:
        if value is None:
            return None
        work.pay(1 + len(children))
        return [child(value, work) for child in children]

    return evaluate


def _multi_select_dict(node: Any) -> Evaluate:
    pairs = [(child["value"], compiled(child["children"][0])) for child in node["children"]]

    def evaluate(value: Any, work: Interpreter) -> Any:
        if value is None:
            return None
        work.pay(1 + len(pairs))
        return {name: child(value, work) for name, child in pairs}

    return evaluate


def _or(node: Any) -> Evaluate:
    left, right = _children(node)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        found = left(value, work)
        return found if is_true(found) else right(value, work)

    return evaluate


def _and(node: Any) -> Evaluate:
    left, right = _children(node)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        found = left(value, work)
        return right(value, work) if is_true(found) else found

    return evaluate


def _not(node: Any) -> Evaluate:
    (inner,) = _children(node)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        return not is_true(inner(value, work))

    return evaluate


def _comparator(node: Any) -> Evaluate:
    kind = node["value"]
    left, right = _children(node)
    order = _ORDERS.get(kind)

    def evaluate(value: Any, work: Interpreter) -> Any:
        first, second = left(value, work), right(value, work)
        work.pay_for(first)
        work.pay_for(second)
        if order is None:
            return bool(_equal(first, second)) is (kind == "eq")
        return order(first, second) if _is_ordered(first) and _is_ordered(second) else None

    return evaluate


def _is_ordered(value: Any) -> bool:
    """As jmespath has it: numbers, and text among itself."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _function(node: Any) -> Evaluate:
    name, arguments = node["value"], _children(node)
    joins = name == "join"

    def evaluate(value: Any, work: Interpreter) -> Any:
        given = []
        for argument in arguments:
            found = argument(value, work)
            work.pay_for(found)
            given.append(found)
        if joins:
            work.pay_for_join(*given)
        result = work.functions.call_function(name, given)
        work.pay_for(result)
        return result

    return evaluate


class _Applied:
    """What `map(&…)` and its like apply to each element, for jmespath's own functions."""

    def __init__(self, work: Interpreter) -> None:
        self._work = work

    def visit(self, expression: Evaluate, value: Any) -> Any:
        self._work.pay(1)
        return expression(value, self._work)


def _expression(node: Any) -> Evaluate:
    (inner,) = _children(node)
    return lambda value, work: _Reference(inner, _Applied(work))


_MAKERS: dict[str, Callable[[Any], Evaluate]] = {
    "field": _field,
    "subexpression": _sequence,
    "index_expression": _sequence,
    "pipe": _sequence,
    "index": _index,
    "slice": _slice,
    "identity": _itself,
    "current": _itself,
    "literal": _literal,
    "projection": lambda node: projections.each(*_children(node)),
    "value_projection": lambda node: projections.each_value(*_children(node)),
    "filter_projection": lambda node: projections.each_that(*_children(node)),
    "flatten": lambda node: projections.flattened(*_children(node)),
    "multi_select_list": _multi_select_list,
    "multi_select_dict": _multi_select_dict,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "comparator": _comparator,
    "function_expression": _function,
    "expref": _expression,
}
