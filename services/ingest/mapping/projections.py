"""JMESPath's projections: what is done to each element of a list, and paid for as the list grows."""

from collections.abc import Iterable
from typing import Any

from services.ingest.mapping.interpreter import Evaluate, Interpreter, is_true


def _projected(elements: Iterable[Any], right: Evaluate, work: Interpreter) -> list[Any]:
    found = []
    for element in elements:
        work.pay(2)
        if (value := right(element, work)) is not None:
            found.append(value)
    return found


def each(left: Evaluate, right: Evaluate) -> Evaluate:
    """left[*].right"""

    def evaluate(value: Any, work: Interpreter) -> Any:
        base = left(value, work)
        return _projected(base, right, work) if isinstance(base, list) else None

    return evaluate


def each_value(left: Evaluate, right: Evaluate) -> Evaluate:
    """left.*.right"""

    def evaluate(value: Any, work: Interpreter) -> Any:
        base = left(value, work)
        return _projected(base.values(), right, work) if isinstance(base, dict) else None

    return evaluate


def each_that(left: Evaluate, right: Evaluate, condition: Evaluate) -> Evaluate:
    """left[?condition].right"""

    def evaluate(value: Any, work: Interpreter) -> Any:
        base = left(value, work)
        if not isinstance(base, list):
            return None
        work.pay(len(base))
        return _projected((element for element in base if is_true(condition(element, work))), right, work)

    return evaluate


def flattened(inner: Evaluate) -> Evaluate:
    """inner[]"""

    def evaluate(value: Any, work: Interpreter) -> Any:
        base = inner(value, work)
        if not isinstance(base, list):
            return None
        merged: list[Any] = []
        for element in base:
            part = element if isinstance(element, list) else (element,)
            work.pay(1 + len(part))
            merged.extend(part)
        return merged

    return evaluate
