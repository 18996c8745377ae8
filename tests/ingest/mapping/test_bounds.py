"""A mapping cannot hang: expressions that grow their values are stopped, and no function is worse than linear."""

import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.mapping import MappingError, RowError
from services.ingest.mapping.interpreter import ROW_BUDGET
from services.ingest.mapping.markup import strip_html
from tests.ingest.mapping.documents import compiled, document, evaluate

TEXT = "x" * 100_000

BOMBS = [
    "[@, @]" + " | [@, @]" * 25,
    "to_string([@, @]" + " | [@, @]" * 25 + ")",
    "a | [@, @]" + " | [join('', @), join('', @)]" * 25,
    "{a: @, b: @}" + " | {a: @, b: @}" * 25 + " == `1`",
    "length(join(a, map(&'x', words)))",
    "words[].[a, b] | [@, @, @, @, @, @, @, @][] | [@, @, @, @, @, @, @, @][] | [@, @, @, @, @, @, @, @][] | [@, @][]",
    "map(&map(&map(&@, [@, @, @, @]), [@, @, @, @]), words) | [@, @, @, @, @, @, @, @][] | [@, @, @, @, @, @, @][][]",
    "[[@, @]" + " | [@, @]" * 25 + ", `1`] | [0] == [0]",
]


@pytest.mark.parametrize("expression", BOMBS)
def test_an_expression_that_grows_its_value_is_stopped(expression: str) -> None:
    with pytest.raises(RowError, match="too much"):
        evaluate(expression, {"a": TEXT, "b": TEXT, "words": ["w"] * 5_000})


@pytest.mark.parametrize("read", ["max(words)", "words == copy", "contains(words, 'z')"])
def test_reading_the_same_large_value_again_and_again_is_stopped(read: str) -> None:
    row = {"words": ["w"] * 20_000, "copy": ["w"] * 20_000}
    assert evaluate(read, row) is not None
    with pytest.raises(RowError, match="too much"):
        evaluate(f"[{', '.join([read] * 30)}]", row)


def test_a_join_is_judged_before_it_is_made() -> None:
    tracemalloc.start()
    with pytest.raises(RowError, match="too much"):
        evaluate("join(a, words)", {"a": TEXT, "words": ["w"] * 2_000})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def test_the_budget_is_the_rows_and_not_the_documents() -> None:
    mapping = document("length(join('', [a, a, a, a]))")
    for _ in range(20):
        assert mapping.events({"a": TEXT})[0]["data"] == {"text": 400_000}


def test_an_ordinary_row_with_the_longest_line_stays_far_below_the_budget() -> None:
    assert ROW_BUDGET > 5 * (1024 * 1024 // 16)
    assert evaluate("lower(strip_html(a))", {"a": "X" * 1024 * 1024}) == "x" * 1024 * 1024


@pytest.mark.parametrize(
    "piece",
    [
        *("<", "<!--", "<!", "<a ", "<a href='", '<a href="', "</", "<a =", "<a x=y/", "<script>", "<style>", "'<\">"),
        *("<script></scrip", "&", "&#", "&lt", "<a '>", "<!-- --", "<?", " ", "\n", "<p>", "<a><!--"),
    ],
)
def test_strip_html_is_linear(piece: str) -> None:
    # Half a million characters: a hundred milliseconds when linear, minutes when quadratic.
    markup = piece * (500_000 // len(piece))
    started = time.process_time()
    strip_html(markup)
    assert time.process_time() - started < 5


@given(st.text(alphabet="ab.[]{}()@&|!=<>`'\"*?:,0-1 \\", max_size=40))
def test_any_text_is_an_expression_or_a_mistake(text: str) -> None:
    with suppress(MappingError, RowError):
        document(text).events({"a": [{"b": 1}, "b"], "b": {"a": None}})


@pytest.mark.parametrize("step", ["[@, @][]", "[@, @] | []", "[@, @][?@][]", "values({a: @, b: @})[]"])
def test_a_condition_that_grows_a_list_is_stopped_before_it_fills_the_memory(step: str) -> None:
    """Nothing reads what a condition gives, so the list itself has to be paid for."""
    mapping = compiled(
        f'ce_source: /t\nrules:\n  - when: "words{(" | " + step) * 10}"\n'
        "    emit: order.placed.v1\n    id: a\n    map: {order_id: a}\n"
    )
    tracemalloc.start()
    with pytest.raises(RowError, match="too much"):
        mapping.events({"words": ["w"] * 1_000, "a": "1"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000
