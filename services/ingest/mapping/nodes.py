"""JMESPath's nodes as functions of a value, made once: evaluating them costs a third of walking the tree each time.

What they mean is jmespath's own (its TreeInterpreter says the same of every expression and value; a test compares).
"""

from collections.abc import Callable
from typing import Any

from jmespath.visitor import _Expression

from services.ingest.mapping import projections
from services.ingest.mapping.comparing import compare
from services.ingest.mapping.functions import Functions
from services.ingest.mapping.interpreter import CHARACTERS_A_UNIT, Evaluate, Interpreter, is_true

_Reference: Any = _Expression  # its functions know an expression by this name


def compiled(node: Any, functions: Functions) -> Evaluate:
    """`node` as jmespath's parser makes it."""
    return _MAKERS[node["type"]](node, functions)


def _children(node: Any, functions: Functions) -> list[Evaluate]:
    return [compiled(child, functions) for child in node["children"]]


def _field(node: Any, functions: Functions) -> Evaluate:
    name = node["value"]

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        return value.get(name) if isinstance(value, dict) else None

    def made(value: Any, work: Interpreter) -> Any:
        """A field of ours may hold what makes its value, so that only whoever asks pays. No JSON can."""
        found = evaluate(value, work)
        return found() if callable(found) else found

    return made if name.startswith("_") else evaluate


def _sequence(node: Any, functions: Functions) -> Evaluate:
    """a.b, a[0], a | b: each on what the one before gave."""
    if all(child["type"] == "field" for child in node["children"]):
        return _path([child["value"] for child in node["children"]])
    steps = _children(node, functions)

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


def _index(node: Any, functions: Functions) -> Evaluate:
    at = node["value"]

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        return value[at] if isinstance(value, list) and -len(value) <= at < len(value) else None

    return evaluate


def _slice(node: Any, functions: Functions) -> Evaluate:
    part = slice(*node["children"])

    def evaluate(value: Any, work: Interpreter) -> Any:
        if not isinstance(value, list):
            return None
        found = value[part]
        work.pay(1 + len(found))
        return found

    return evaluate


def _itself(_: Any, __: Functions) -> Evaluate:
    return lambda value, work: value


def _literal(node: Any, functions: Functions) -> Evaluate:
    constant = node["value"]
    return lambda value, work: constant


def _multi_select_list(node: Any, functions: Functions) -> Evaluate:
    children = _children(node, functions)
    cost = 1 + len(children)

    def evaluate(value: Any, work: Interpreter) -> Any:
        if value is None:
            return None
        work.left -= cost
        return [child(value, work) for child in children]

    return evaluate


def _multi_select_dict(node: Any, functions: Functions) -> Evaluate:
    pairs = [(child["value"], compiled(child["children"][0], functions)) for child in node["children"]]
    cost = 1 + len(pairs)

    def evaluate(value: Any, work: Interpreter) -> Any:
        if value is None:
            return None
        work.left -= cost
        return {name: child(value, work) for name, child in pairs}

    return evaluate


def _or(node: Any, functions: Functions) -> Evaluate:
    left, right = _children(node, functions)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        found = left(value, work)
        return found if is_true(found) else right(value, work)

    return evaluate


def _and(node: Any, functions: Functions) -> Evaluate:
    left, right = _children(node, functions)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        found = left(value, work)
        return right(value, work) if is_true(found) else found

    return evaluate


def _not(node: Any, functions: Functions) -> Evaluate:
    (inner,) = _children(node, functions)

    def evaluate(value: Any, work: Interpreter) -> Any:
        work.left -= 1
        return not is_true(inner(value, work))

    return evaluate


def _comparator(node: Any, functions: Functions) -> Evaluate:
    left, right = _children(node, functions)
    compared = compare(node["value"])

    def evaluate(value: Any, work: Interpreter) -> Any:
        first, second = left(value, work), right(value, work)
        work.pay_for(first)
        work.pay_for(second)
        return compared(first, second)

    return evaluate


def _function(node: Any, functions: Functions) -> Evaluate:
    name, arguments = node["value"], _children(node, functions)
    call, joins = functions.called(name), name == "join"

    def evaluate(value: Any, work: Interpreter) -> Any:
        given = []
        for argument in arguments:
            found = argument(value, work)
            if type(found) is str:
                work.left -= 1 + len(found) // CHARACTERS_A_UNIT
            else:
                work.pay_for(found)
            given.append(found)
        if joins:
            work.pay_for_join(*given)
        result = call(given)
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


def _expression(node: Any, functions: Functions) -> Evaluate:
    (inner,) = _children(node, functions)
    return lambda value, work: _Reference(inner, _Applied(work))


_MAKERS: dict[str, Callable[[Any, Functions], Evaluate]] = {
    "field": _field,
    "subexpression": _sequence,
    "index_expression": _sequence,
    "pipe": _sequence,
    "index": _index,
    "slice": _slice,
    "identity": _itself,
    "current": _itself,
    "literal": _literal,
    "projection": lambda node, functions: projections.each(*_children(node, functions)),
    "value_projection": lambda node, functions: projections.each_value(*_children(node, functions)),
    "filter_projection": lambda node, functions: projections.each_that(*_children(node, functions)),
    "flatten": lambda node, functions: projections.flattened(*_children(node, functions)),
    "multi_select_list": _multi_select_list,
    "multi_select_dict": _multi_select_dict,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "comparator": _comparator,
    "function_expression": _function,
    "expref": _expression,
}
