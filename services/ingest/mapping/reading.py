"""Which parts of a value an expression reads, and which fields it needs, told without the value."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeGuard, Union


class Each(NamedTuple):
    """Of a list, `element` of each that is in it."""

    element: "Parts"


# None: all of the value; else of an object the parts of some of its fields, of a list those of its elements.
Parts = Union[Mapping[str, "Parts"], Each, None]  # noqa: UP007 (a name in quotes knows no |)

_NONE: frozenset[str] = frozenset()
_not_a_field = re.compile(r'[\x00-\x1f"\\]').search  # a name that the decoder takes for no field's
_OF_CHILDREN = (
    "multi_select_list", "multi_select_dict", "key_val_pair", "or_expression", "and_expression", "not_expression",
    "comparator", "function_expression",
)  # fmt: skip


def is_object(parts: Parts) -> "TypeGuard[Mapping[str, Parts]]":
    """Whether the decoder makes an object of these parts; else the whole value, or a list."""
    return isinstance(parts, Mapping) and bool(parts) and not any(map(_not_a_field, parts))


def parts_of(node: Any, used: Parts = None) -> Parts:
    """`node` as jmespath's parser makes it; `used` is what is read of what it gives."""
    children = node["children"]
    match node["type"]:
        case "field":
            return {node["value"]: used}
        case "literal" | "expref":  # a function asks the second of elements
            return {}
        case "identity" | "current":
            return used
        case "subexpression" | "pipe" | "index_expression":  # each of what the one before gave
            for child in reversed(children):
                used = parts_of(child, used)
            return used
        case kind if kind in _OF_CHILDREN:
            return together(map(parts_of, children))
    return _parts_of_a_list(node, used.element if isinstance(used, Each) else None, used)


def _parts_of_a_list(node: Any, element: Parts, used: Parts) -> Parts:
    """`element` is what is read of each in the list that the node gives, `used` of what it gives if that is no list."""
    children = node["children"]
    match node["type"]:
        case "index":
            return Each(used)
        case "slice":
            return Each(element)
        case "flatten":
            return parts_of(children[0], Each(element))
        case "projection" | "filter_projection":
            read = together((parts_of(children[1], element), *map(parts_of, children[2:])))
            return parts_of(children[0], Each(read))
        case "value_projection":
            return parts_of(children[0])
    return None


def together(several: Iterable[Parts]) -> Parts:
    """What several expressions read of the same value."""
    found: Parts = {}
    for parts in several:
        found = _both(found, parts)
    return found


def _both(one: Parts, other: Parts) -> Parts:
    match one, other:
        case (Each(of_one), Each(of_other)):
            return Each(_both(of_one, of_other))
        case (Mapping(), Mapping()):
            common = {name: _both(one[name], other[name]) for name in one.keys() & other.keys()}
            return {**one, **other, **common}
        case (Mapping(), _) if not one:
            return other
        case (_, Mapping()) if not other:
            return one
    return None


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
