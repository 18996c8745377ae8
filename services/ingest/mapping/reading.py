"""Which fields an expression reads of the value that it is asked of, and needs, told without the value."""

from collections.abc import Iterable
from typing import Any

Fields = frozenset[str] | None  # None: it may read all of the value
_NONE: frozenset[str] = frozenset()
# What follows the first child of these is asked of what the first one gives.
_FIRST = (
    "subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection", "flatten",
)  # fmt: skip
_EACH = (
    "multi_select_list", "multi_select_dict", "key_val_pair", "or_expression", "and_expression", "not_expression",
    "comparator", "function_expression",
)  # fmt: skip


def fields_of(node: Any) -> Fields:
    """`node` as jmespath's parser makes it."""
    kind = node["type"]
    if kind == "field":
        return frozenset((node["value"],))
    if kind in ("literal", "expref"):  # a function asks the second of elements
        return _NONE
    if kind in _FIRST:
        return fields_of(node["children"][0])
    return together(map(fields_of, node["children"])) if kind in _EACH else None


def together(parts: Iterable[Fields]) -> Fields:
    """What several expressions read of the same value."""
    found: set[str] = set()
    for part in parts:
        if part is None:
            return None
        found |= part
    return frozenset(found)


def needed_by(node: Any) -> frozenset[str]:
    """Fields without which, or with null in which, a condition gives nothing that is true, and no error; not all."""
    children = node["children"]
    match node["type"]:
        case "field":
            return frozenset((node["value"],))
        case "and_expression":
            return needed_by(children[0]) | (_NONE if _may_fail(children[0]) else needed_by(children[1]))
        case "subexpression" | "index_expression" | "filter_projection":
            return needed_by(children[0])
        case "comparator" if node["value"] == "eq" and _is_something(children[1]):
            return needed_by(children[0])
    return _NONE


def _may_fail(node: Any) -> bool:
    return node["type"] == "function_expression" or any(
        _may_fail(child) for child in node["children"] if isinstance(child, dict)
    )


def _is_something(node: Any) -> bool:
    return node["type"] == "literal" and node["value"] is not None
