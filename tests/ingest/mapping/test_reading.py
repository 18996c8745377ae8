"""An expression gives the same when the value has nothing but the parts that it is said to read."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.parser import Parser

from services.ingest.mapping.interpreter import is_true
from services.ingest.mapping.reading import Each, Parts, needed_by, parts_of, together
from tests.ingest.mapping.test_nodes import ATOMS, EXPRESSIONS, JSON, NAMES, ROW, longer, ours, same


def parts(expression: str) -> Parts:
    return parts_of(Parser().parse(expression).parsed)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", {"a": None}),
        ("a.b[0].c", {"a": {"b": Each({"c": None})}}),
        ("a[0][1].b.c", {"a": Each(Each({"b": {"c": None}}))}),
        ("a || b.c", {"a": None, "b": {"c": None}}),
        ("!(a.d) && b == 'c'", {"a": {"d": None}, "b": None}),
        ("a[?b == c].d | [0]", {"a": Each({"b": None, "c": None, "d": None})}),
        ("a[?b]", {"a": Each(None)}),
        ("a[].{x: b, y: c.d}", {"a": Each({"b": None, "c": {"d": None}})}),
        ("a[*].b[*].c", {"a": Each({"b": Each({"c": None})})}),
        ("a[*].b[].c", {"a": Each({"b": {"c": None}})}),  # a list of lists is of another kind: then all of it is made
        ("a[1:].b", {"a": Each({"b": None})}),
        ("a[1:] | [0].b", {"a": Each({"b": None})}),
        ("a.*.b", {"a": None}),
        ("[a.b, a.c.d]", {"a": {"b": None, "c": {"d": None}}}),
        ("[a.b, a]", {"a": None}),
        ("[a.b, a[0]]", {"a": None}),
        ("{x: a, y: b.c}", {"a": None, "b": {"c": None}}),
        ("[a, 'b'][?@]", {"a": None}),
        ("join(a, map(&b, c))", {"a": None, "c": None}),
        ("a | 'text'", {"a": {}}),
        ("'text'", {}),
    ],
)
def test_it_reads_these(expression: str, expected: Parts) -> None:
    assert parts(expression) == expected


@pytest.mark.parametrize(
    "expression", ["@", "@.a || @", "*", "keys(@)", "a || @", "{x: @}", "[a, @]", "*.a", "[[0], a]"]
)
def test_it_may_read_all(expression: str) -> None:
    assert parts(expression) is None


def test_together_they_read_what_each_reads() -> None:
    assert together([{"a": None}, {"b": {"c": None}}, {}, {"b": {"d": None}}]) == {
        "a": None,
        "b": {"c": None, "d": None},
    }
    assert together([{}, Each({"a": None}), Each({"b": None})]) == Each({"a": None, "b": None})
    assert together([{"a": None}, None]) is None


def restricted(value: Any, wanted: Parts) -> Any:
    """As the decoder makes it: what is of another kind than is wanted stays as it is."""
    match value, wanted:
        case (dict(), Mapping()) if wanted:
            return {name: restricted(value.get(name), inner) for name, inner in wanted.items()}
        case (list(), Each(element)):
            return [restricted(item, element) for item in value]
    return value


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_rest_of_a_row_makes_no_difference(expression: str) -> None:
    for row in (ROW, ROW["list"]):
        assert same(ours(expression, restricted(row, parts(expression))), ours(expression, row))


@settings(max_examples=600)
@given(st.recursive(ATOMS, longer, max_leaves=6), st.dictionaries(NAMES, JSON, max_size=3) | JSON)
def test_the_rest_of_any_value_makes_no_difference(expression: str, value: Any) -> None:
    assert same(ours(expression, restricted(value, parts(expression))), ours(expression, value))


def needed(expression: str) -> frozenset[str]:
    return needed_by(Parser().parse(expression).parsed)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", {"a"}),
        ("a.b && !c && d == 'x'", {"a", "d"}),
        ("a[?b == 'c'] && d[0]", {"a", "d"}),
        ("a || b", set()),
        ("a == `null`", set()),
        ("a != 'x'", set()),
        ("'x' == a", set()),
        ("a == b", set()),
        ("length(a) && b", set()),
        ("b && length(a) && c", {"b"}),
        ("a | !@", set()),
        ("b && starts_with(a || '', 'x')", {"b"}),
    ],
)
def test_it_cannot_hold_without_these(expression: str, expected: set[str]) -> None:
    assert needed(expression) == frozenset(expected)


@settings(max_examples=400)
@given(st.recursive(ATOMS, longer, max_leaves=6), st.dictionaries(NAMES, JSON, max_size=3), st.sampled_from("abc"))
def test_where_one_is_missing_no_condition_holds(expression: str, value: Any, missing: str) -> None:
    found = ours(expression, {**value, missing: None})
    assert missing not in needed(expression) or not (isinstance(found, type) or is_true(found))
