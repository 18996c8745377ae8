"""What is written for a document gives what asking node by node gives, or nothing; it pays as much, or more."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmespath.parser import Parser

from services.ingest.mapping.expressions import FAILURES
from services.ingest.mapping.interpreter import CHARACTERS_A_UNIT, ROW_BUDGET, Interpreter
from services.ingest.mapping.nodes import compiled
from services.ingest.mapping.reading import is_object, parts_of
from services.ingest.mapping.straight import BUDGET, compile_written
from services.ingest.mapping.straight_nodes import Nodes
from services.ingest.mapping.writing import UnwritableError, Value, Writing
from services.ingest.webhooks.bodies import parts_reader
from services.ingest.webhooks.document import SourceDocument, compile_source
from shared.events.catalogue import ACCEPTED_TYPES
from tests.ingest.mapping.test_nodes import ATOMS, EXPRESSIONS, FUNCTIONS, JSON, NAMES, ROW, longer, same

_NOT_SAID = object()
WRITTEN = [
    "a", "a.b", "a.b.c", "a.f.g", "x.y", "list[0]", "list[-1]", "list[9].n", "list[].n", "list[*].t", "list[?n].t",
    "list[?t == 'x'].n", "list[?n > `0`].t", "[a.e, zero]", "{x: a.e, y: list[0].n, z: q}", "list[].{n: n, t: t}",
    "zero || one", "blank || 'else'", "one && a.e", "blank && one", "!one", "!zero", "!x", "zero == false",
    "one == true", "one == float", "zero < one", "a.e < 'z'", "one != zero", "x == y", "a.e == 'text'",
    "join('-', [a.e, a.e])", "join('-', [a.e, x, blank][?@])", "text(one)", "text(x)",
    "contains(['text', 'x'], a.e)", "starts_with(a.e, 'te')", "length(words)", "coalesce(x, one)", "lower(a.e)",
    "[list[].n, words[*]]", "total(list[].n, 'PLN')", "minor(one, 'PLN')",
]  # fmt: skip


def written(expression: str, row: Any, left: int = BUDGET) -> Any:
    """What it gives and what is left; `_NOT_SAID` where nobody has written it, or where it is left to the nodes."""
    tree = Parser().parse(expression).parsed
    parts = parts_of(tree)
    root = parts_reader(parts)(json.dumps(row).encode())
    if root is None or not is_object(parts):
        return _NOT_SAID
    writing = Writing()
    try:
        with writing.charged():
            found = Nodes(writing, FUNCTIONS, Value("root", "object", parts), {}).result(tree)
        writing.line("if left < 0: raise UnfitError")
        writing.line(f"return {found.code}, left")
        return compile_written(writing)(root, None, "", left)
    except (UnwritableError, *FAILURES):
        return _NOT_SAID


def asked(expression: str, row: Any) -> tuple[Any, int]:
    """What it gives, node by node, and what that costs."""
    work = Interpreter()
    value = compiled(Parser().parse(expression).parsed, FUNCTIONS)(row, work)
    work.pay_for(value)
    return value, ROW_BUDGET - work.left


def check(expression: str, row: Any) -> bool:
    """Whether it was said at all."""
    found = written(expression, row)
    if found is _NOT_SAID:
        return False
    value, left = found
    expected, cost = asked(expression, row)
    assert same(value, expected)
    assert BUDGET - left >= CHARACTERS_A_UNIT * cost
    return True


@pytest.mark.parametrize("expression", [*EXPRESSIONS, *WRITTEN])
def test_it_gives_the_same(expression: str) -> None:
    for row in (ROW, ROW["a"], {**ROW, "list": ROW["list"][:3]}, {**ROW, "a": None}, {}):
        check(expression, row)


@pytest.mark.parametrize("expression", WRITTEN)
def test_the_usual_expressions_are_written(expression: str) -> None:
    assert check(expression, {**ROW, "list": ROW["list"][:3]})


@pytest.mark.parametrize("expression", ["join('-', [a.e, one])", "length(one)", "minor(a, 'x')"])
def test_a_mistake_is_left_to_the_nodes(expression: str) -> None:
    assert written(expression, ROW) is _NOT_SAID


BOMBS = [
    "join('', [{}])".format(", ".join(["text"] * 300)),
    "words[].[@, @, @, @][].[@, @, @, @][].[@, @, @, @][].[@, @, @, @]",
    "[{}]".format(", ".join(["words"] * 600)),
]


@pytest.mark.parametrize("expression", BOMBS)
def test_what_grows_is_stopped(expression: str) -> None:
    assert written(expression, {"text": "x" * 30_000, "words": ["w"] * 5_000}) is _NOT_SAID


@pytest.mark.parametrize("expression", ["text(a.e)", "list[].{n: n, t: t}", "join('-', [a.e, blank])", "words == list"])
def test_the_last_unit_is_counted(expression: str) -> None:
    row = {**ROW, "list": ROW["list"][:3]}
    _, cost = asked(expression, row)
    assert written(expression, row, CHARACTERS_A_UNIT * cost - 1) is _NOT_SAID


@given(st.recursive(ATOMS, longer, max_leaves=6), st.dictionaries(NAMES, JSON))
@settings(max_examples=500, deadline=None)
def test_it_gives_the_same_of_anything(expression: str, row: Any) -> None:
    check(expression, row)


def test_what_python_cannot_hold_is_asked_node_by_node() -> None:
    nested = "a" + "".join(f"[*].{name}" for name in "bcdefghijklmnopqrstuvwxyz"[:22])
    rules = [{"emit": "order.placed.v1", "id": "'1'", "map": {"order_id": f"to_string({nested})"}}]
    assert _compiled(rules).straight is None


def test_a_document_of_any_length_is_compiled_at_once() -> None:
    rules = [
        {"emit": "order.placed.v1", "id": "'1'", "map": {"order_id": f"join('', [{', '.join(names)}])"}}
        for names in ([f"text(a{rule}_{number})" for number in range(120)] for rule in range(50))
    ]
    begun = time.process_time()
    assert _compiled(rules).straight is None
    assert time.process_time() - begun < 5


def _compiled(rules: list[dict[str, Any]]) -> SourceDocument:
    text = json.dumps({"source": "odd", "version": 1, "verify": {"scheme": "api_key"}, "rules": rules})
    return compile_source(text, "odd.yaml", ACCEPTED_TYPES)
