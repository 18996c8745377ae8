"""An expression gives the same when the value has nothing but the fields that it is said to read."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.parser import Parser

from services.ingest.mapping.interpreter import is_true
from services.ingest.mapping.reading import fields_of, needed_by, together
from tests.ingest.mapping.test_nodes import ATOMS, EXPRESSIONS, JSON, NAMES, ROW, longer, ours, same


def fields(expression: str) -> frozenset[str] | None:
    return fields_of(Parser().parse(expression).parsed)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a", {"a"}),
        ("a.b[0].c", {"a"}),
        ("a || b.c", {"a", "b"}),
        ("!a && b == 'c'", {"a", "b"}),
        ("a[?b == c].d | [0]", {"a"}),
        ("{x: a, y: b.c}", {"a", "b"}),
        ("[a, 'b'][?@]", {"a"}),
        ("join(a, map(&b, c))", {"a", "c"}),
        ("'text'", set()),
    ],
)
def test_it_reads_these(expression: str, expected: set[str]) -> None:
    assert fields(expression) == frozenset(expected)


@pytest.mark.parametrize("expression", ["@", "@.a", "*", "[0]", "keys(@)", "a || @", "{x: @}", "[a, @]", "*.a"])
def test_it_may_read_all(expression: str) -> None:
    assert fields(expression) is None


def test_together_they_read_what_each_reads() -> None:
    assert together([frozenset("a"), frozenset("bc"), frozenset()]) == frozenset("abc")
    assert together([frozenset("a"), None]) is None


def restricted(value: Any, names: frozenset[str] | None) -> Any:
    return {name: value.get(name) for name in names} if names is not None and isinstance(value, dict) else value


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_rest_of_a_row_makes_no_difference(expression: str) -> None:
    assert same(ours(expression, restricted(ROW, fields(expression))), ours(expression, ROW))


@settings(max_examples=400)
@given(st.recursive(ATOMS, longer, max_leaves=6), st.dictionaries(NAMES, JSON, max_size=3))
def test_the_rest_of_any_object_makes_no_difference(expression: str, value: Any) -> None:
    assert same(ours(expression, restricted(value, fields(expression))), ours(expression, value))


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
