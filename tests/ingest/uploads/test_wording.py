"""Both languages say the same things, and what the door refuses a shop can read about in its own."""

import ast
from pathlib import Path

import pytest

from services.ingest.uploads import english, polish
from services.ingest.uploads.wording import wording
from tests.ingest.uploads.shop import ANSWERS, Shop

SOURCES = (*Path("shared/events").glob("*.py"), *Path("services/ingest").glob("*.py"))
# A row of a table cannot come to these: they are about a body, a header, or what the page itself writes.
NOT_OF_ROWS = {
    "empty_batch", "too_many", "too_deep", "not_json", "not_utf8", "not_unicode", "not_finite", "not_percent_encoded",
    "unknown_version", "not_a_form", "unusable", "invalid",
}  # fmt: skip


def codes_of_the_door() -> set[str]:
    """The second argument of every EventError, and what the decoder's messages are made into."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "EventError":
                code = node.args[1]
            elif path.name == "mistakes.py" and isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                code = node.value.elts[0]
            else:
                continue
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                found.add(code.value)
    return found


def test_both_languages_say_the_same_things() -> None:
    assert polish.TEXTS.keys() == english.TEXTS.keys()
    assert polish.NOUNS.keys() == english.NOUNS.keys()


def test_every_mistake_of_a_row_has_words() -> None:
    codes = codes_of_the_door()
    assert {"out_of_range", "missing", "unknown_value"} <= codes
    assert {code for code in codes if f"flaw.{code}" not in polish.TEXTS} == NOT_OF_ROWS & codes
    assert wording("pl").flaw("newer_than_this_page") == "Tego wiersza nie da się odczytać"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("pl", "1 data.score Wartość poza zakresem 11 is above scale_max 10"),
        ("pl", "3 time To nie jest data ani czas"),
        ("pl", "4 id Brakuje wymaganej wartości"),
        ("en", "1 data.score Out of range 11 is above scale_max 10"),
    ],
)
async def test_why_a_row_would_be_rejected_is_said_in_the_readers_language(
    shop: Shop, language: str, said: str
) -> None:
    path = await shop.sent(
        (ANSWERS + "1;19.11.2026 14:05;nps;11;\r\n2;;nps;9;\r\n3;jutro;nps;9;\r\n;;nps;9;\r\n").encode()
    )
    assert said in await shop.page(path, language)
