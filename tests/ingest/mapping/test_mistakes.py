"""Every mistake in a document is refused before the first row, with its line, the reason and what to do."""

import pytest

from services.ingest.mapping import Format, MappingError
from tests.ingest.mapping.documents import compiled

WHOLE = """\
format: {type: csv, delimiter: ",", encoding: utf-8}
timezone: Europe/Warsaw
ce_source: /shop
tables:
  stores: {1: Kraków}
rules:
  - when: "a == 'b'"
    emit: feedback.received.v1
    id: id
    time: parse_time(day)
    map:
      metric: "'rating'"
      score: number(stars)
otherwise: ignore
"""

MISTAKES = [
    # what is replaced, by what, the line, words of the sentence
    ("otherwise: ignore", "otherwize: ignore", 14, ["no key 'otherwize'", "did you mean otherwise?"]),
    ("otherwise: ignore", "otherwise: drop", 14, ["'drop'", "ignore"]),
    ("otherwise: ignore", "ce_source: /b", 14, ["twice", "line 3"]),
    ("    emit: feedback.received.v1\n", "", 7, ["has no emit"]),
    ("    id: id\n", "", 7, ["has no id"]),
    ("ce_source: /shop\n", "", 1, ["has no ce_source"]),
    ("feedback.received.v1", "feedback.recieved.v1", 8, ["event type", "did you mean feedback.received.v1?"]),
    ("feedback.received.v1", "feedback.scored.v1", 8, ["no event type"]),
    ("number(stars)", "numbr(stars)", 13, ["no function numbr()", "did you mean number?"]),
    ("number(stars)", "\"number(stars, ',', day)\"", 13, ["number() takes 1 to 2 arguments, not 3"]),
    ("number(stars)", "number(stars, day)", 13, ["decimal mark", "',' or '.'"]),
    ("number(stars)", "\"number(stars, ';')\"", 13, ["decimal mark"]),
    ("number(stars)", "\"minor(stars, 'PLN', '')\"", 13, ["decimal mark"]),
    ("number(stars)", "\"date(day, 'polish')\"", 13, ["strptime", "'pl'", "'excel'"]),
    ("number(stars)", "number()", 13, ["number() takes 1 to 2 arguments, not 0"]),
    ("number(stars)", "join(", 13, ["ends too early"]),
    ("number(stars)", '"scale(stars, [0,100], [0,10])"', 13, ["not JMESPath", "`[0, 10]`"]),
    ("number(stars)", '"a = b"', 13, ["not JMESPath", "character 3"]),
    ("number(stars)", '"coalesce(a, `b`)"', 13, ["backticks", "'text'"]),
    ("number(stars)", "5", 13, ["score must be a JMESPath expression", "`5`"]),
    ("number(stars)", "", 13, ["score must be a JMESPath expression"]),
    ("number(stars)", "[a]", 13, ["score must be a JMESPath expression"]),
    ("number(stars)", "\"parse_time(day, '%d.%m.%q')\"", 13, ["strptime"]),
    ("number(stars)", "\"parse_time(day, '%d.%m')\"", 13, ["whole date"]),
    ("number(stars)", '"parse_time(day, other)"', 13, ["written out"]),
    ("number(stars)", "\"lookup('shops', a)\"", 13, ["no table 'shops'", "stores"]),
    ("number(stars)", "\"minor(a, 'zł')\"", 13, ["'zł'", "'PLN'"]),
    ("number(stars)", "(" * 3000 + "a" + ")" * 3000, 13, ["at most 2000 characters"]),
    ("number(stars)", "(" * 900 + "a" + ")" * 900, 13, ["nested deeper"]),
    ("number(stars)", '"' + "!" * 40 + 'a"', 13, ["nested deeper"]),
    ("\"a == 'b'\"", "a ==", 7, ["when", "ends too early"]),
    ("parse_time(day)", "parse_tim(day)", 10, ["time", "did you mean parse_time?"]),
    ("Europe/Warsaw", "Europe/Warszawa", 2, ["no time zone", "Europe/Warsaw"]),
    ("Europe/Warsaw", "../etc/passwd", 2, ["no time zone"]),
    ("Europe/Warsaw", "2", 2, ["timezone must be text"]),
    ("utf-8", "utf-9", 1, ["no encoding", "cp1250"]),
    ("utf-8", "rot13", 1, ["no encoding"]),
    ("type: csv", "type: xls", 1, ["no format", "did you mean xlsx?"]),
    ("type: csv", "type: jsonl", 1, ["has no delimiter"]),
    ("type: csv", "type: xlsx", 1, ["has no delimiter"]),
    ('type: csv, delimiter: ","', "type: xlsx", 1, ["a xlsx file has no encoding"]),
    ("encoding: utf-8", "sheet: A", 1, ["a csv file has no sheet"]),
    ('","', '", "', 1, ["one character"]),
    ('","', '""', 1, ["one character"]),
    ("{1: Kraków}", "Kraków", 5, ["stores must be keys and values"]),
    ("{1: Kraków}", "{1: 2026-01-01}", 5, ["put it in quotes"]),
    ("{1: Kraków}", "{1: a, 1: b}", 5, ["twice"]),
    ("{1: Kraków}", "&x {a: 1}\n  others: *x", 6, ["alias"]),
    ("ce_source: /shop", "ce_source: [a]", 3, ["ce_source must be text"]),
    ("timezone: Europe/Warsaw", "\ttimezone: Europe/Warsaw", 2, ["not YAML"]),
    ("timezone: Europe/Warsaw", "timezone: a: b", 2, ["not YAML"]),
]


@pytest.mark.parametrize(("right", "wrong", "line", "words"), MISTAKES)
def test_a_mistake_is_refused_with_its_line(right: str, wrong: str, line: int, words: list[str]) -> None:
    assert right in WHOLE
    with pytest.raises(MappingError) as refused:
        compiled(WHOLE.replace(right, wrong, 1))
    assert str(refused.value).startswith(f"m.yaml:{line}: ")
    assert "\n" not in str(refused.value)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("just text", "keys and values"),
        ("- a\n- b\n", "keys and values"),
        ("a: [1,\n", "not YAML"),
        ("a: \0", "not YAML"),
        ("[" * 200_000, "nested deeper"),
        ("- " * 5_000, "nested deeper"),
        ("a: " + "x" * 300_000, "at most"),
    ],
)
def test_what_is_no_document_is_refused_in_one_sentence(text: str, word: str) -> None:
    with pytest.raises(MappingError, match=word):
        compiled(text)


@pytest.mark.parametrize("rules", ["[]", "", "{a: 1}", "ignore"])
def test_rules_must_be_a_list(rules: str) -> None:
    with pytest.raises(MappingError, match=r"^m\.yaml:2: rules must be a list"):
        compiled(f"ce_source: /s\nrules: {rules}\n")


def test_a_missing_map_is_named() -> None:
    text = "ce_source: /s\nrules:\n  - emit: order.placed.v1\n    id: a\n"
    with pytest.raises(MappingError, match=r"^m\.yaml:3: .* has no map"):
        compiled(text)


def test_the_whole_document_is_accepted() -> None:
    mapping = compiled(WHOLE)
    assert (mapping.format.type, mapping.format.delimiter, mapping.format.encoding) == ("csv", ",", "utf-8")
    assert mapping.source == "/shop"


def test_what_the_document_leaves_open_is_left_to_the_file() -> None:
    mapping = compiled("ce_source: /s\nrules:\n  - {emit: order.placed.v1, id: a, map: {order_id: a}}\n")
    assert mapping.format == Format(type=None, delimiter=None, encoding=None, sheet=None)
