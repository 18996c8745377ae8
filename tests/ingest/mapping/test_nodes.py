"""Expressions mean what jmespath's own interpreter says, of every value."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions as Builtins
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

from services.ingest.mapping.functions import Functions, Surroundings
from services.ingest.mapping.interpreter import Interpreter
from services.ingest.mapping.nodes import compiled

FUNCTIONS = Functions(Surroundings(None, {}))
ROW = {
    "a": {"b": {"c": 1, "d": [3, 1, 2]}, "e": "text", "f": None},
    "list": [{"n": 1, "t": "x"}, {"n": 0, "t": ""}, {"t": "y"}, None, 5, [1, [2, 3]]],
    "words": ["b", "a", "c"],
    "zero": 0,
    "one": 1,
    "true": True,
    "false": False,
    "empty": [],
    "nothing": {},
    "blank": "",
    "float": 1.0,
}
EXPRESSIONS = [
    "a", "a.b", "a.b.c", "a.b.c.d", "a.f.g", "x.y", "@", "@.a", "list[0]", "list[-1]", "list[9]", "list[-9]", "a[0]",
    "list[].n", "list[*].n", "list[*].t", "list[].t | [0]", "a.*", "a.*.c", "a.b.d[1:]", "a.b.d[::-1]", "list[1:3].t",
    "list[?n].t", "list[?n == `0`].t", "list[?t == 'x'] | [0].n", "list[?n > `0`]", "list[5][]", "[a, words][]",
    "[a.e, zero]", "{x: a.e, y: list[0].n, z: q}", "x.{y: z}", "x.[y]", "a.b.{c: c, all: d[*]}", "[]", "a[]",
    "zero || one", "empty || 'else'", "blank || nothing || false || one", "one && a.e", "empty && one", "!one", "!zero",
    "!empty", "!a", "!x", "zero == false", "one == true", "true == true", "one == float", "zero < one", "a.e < 'z'",
    "one < a.e", "true < one", "one != zero", "empty == `[]`", "words == words", "words != list", "x == y", "x < one",
    "length(words)", "join('-', words)", "sort(words)", "sort_by(list[?n || n == `0`], &n)[*].n", "max(a.b.d)",
    "map(&n, list[0:2])", "map(&[@, @], words)", "keys(a.b)", "values(a.b)", "merge(a, {e: 'other'})", "type(a)",
    "to_string(a.b)", "to_array(one)", "not_null(x, a.e)", "contains(words, 'a')", "starts_with(a.e, 'te')",
    "reverse(words)", "sum(a.b.d)", "avg(a.b.d)", "abs(`-1`)", "max_by(list[0:2], &n).t", "list[?contains(['x'], t)]",
    "`[1, {\"a\": 2}]`", "length(one)", "sort(list)", "a.b.d[?@ > `1`] | length(@)", "list[*].[n, t][]",
    "words[?@ != 'a'] | [1]", "join('-', list)", "join(one, words)", "join('-', a.e)", "join('-', empty)",
]  # fmt: skip


def theirs(expression: str, row: Any) -> Any:
    try:
        return TreeInterpreter().visit(Parser().parse(expression).parsed, row)
    except (JMESPathError, TypeError, ValueError) as error:
        return type(error)


def ours(expression: str, row: Any) -> Any:
    try:
        return compiled(Parser().parse(expression).parsed, FUNCTIONS)(row, Interpreter())
    except (JMESPathError, TypeError, ValueError) as error:
        return type(error)


def same(left: Any, right: Any) -> bool:
    """1, 1.0 and true are not one."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return list(left) == list(right) and all(map(same, left.values(), right.values()))
    return type(left) is type(right) and bool(left == right)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_it_means_the_same(expression: str) -> None:
    for row in (ROW, ROW["list"], ROW["a"], None, "text", 7, True):
        assert same(ours(expression, row), theirs(expression, row)), row


NAMES = st.sampled_from(["a", "b", "c"])
ATOMS = NAMES | st.sampled_from(["@", "'x'", "`0`", "`1`", "`true`", "`null`", "`[]`", "`[1, [2]]`"])


def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def joined(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda given: pattern.format(*given))

    return st.one_of(
        *(joined(f"({{}}){step}", inner) for step in ("[0]", "[-1]", "[]", "[*]", ".*", "[1:]", "[?a]", "[?@ == `1`]")),
        *(joined(f"({{}}) {sign} ({{}})", inner, inner) for sign in ("||", "&&", "==", "!=", "<", "|")),
        joined("({}).{}", inner, NAMES),
        joined("!({})", inner),
        joined("[{}, {}]", inner, inner),
        joined("{{x: {}, y: {}}}", inner, inner),
        joined("map(&{}, to_array({}))", inner, inner),
        joined("not_null({}, {})", inner, inner),
        joined("to_string({})", inner),
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, "", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=400)
@given(st.recursive(ATOMS, longer, max_leaves=6), JSON)
def test_any_expression_means_the_same_of_any_value(expression: str, row: Any) -> None:
    assert same(ours(expression, row), theirs(expression, row))


def test_the_builtins_are_jmespaths() -> None:
    assert {name: FUNCTIONS.FUNCTION_TABLE[name] for name in Builtins.FUNCTION_TABLE} == Builtins.FUNCTION_TABLE
