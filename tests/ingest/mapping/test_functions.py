"""Each function: what it reads, that null stays null, and that nothing is guessed."""

from typing import Any

import pytest

from services.ingest.mapping import RowError
from tests.ingest.mapping.documents import evaluate

READ = [
    ("number(a)", "4.5", 4.5),
    ("number(a)", "4", 4),
    ("number(a)", " -04 ", -4),
    ("number(a)", ".5", 0.5),
    ("number(a)", "1E+3", 1000.0),
    ("number(a)", 7, 7),
    ("number(a, ',')", "4,5", 4.5),
    ("number(a, ',')", "1 234,50", 1234.5),
    ("number(a, ',')", "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567", 1234567),
    ("number(a, ',')", "-12\N{NARROW NO-BREAK SPACE}345,6", -12345.6),
    ("number(a, ',')", "\N{MINUS SIGN}1.234.567,5", -1234567.5),
    ("number(a, ',')", "1.234,5", 1234.5),
    # What a workbook's cell holds as a number comes with a point.
    ("number(a, ',')", "4.5", 4.5),
    ("number(a, ',')", 1.234, 1.234),
    ("number(a, '.')", "1,234.5", 1234.5),
    ("number(a, '.')", "1,234", 1234),
    ("minor(a, 'PLN', ',')", "1\N{NARROW NO-BREAK SPACE}234,50", {"amount": 123450, "currency": "PLN"}),
    ("minor(a, 'PLN', ',')", "0,07", {"amount": 7, "currency": "PLN"}),
    ("parse_time(a, 'pl')", "22.11.2026 14:05", "2026-11-22T14:05:00+01:00"),
    ("parse_time(a, 'pl')", "2.07.2026", "2026-07-02T00:00:00+02:00"),
    ("parse_time(a, 'pl')", "22-11-2026 14:05:09", "2026-11-22T14:05:09+01:00"),
    ("parse_time(a, 'pl')", "22/11/2026, 8.30", "2026-11-22T08:30:00+01:00"),
    ("parse_time(a, 'pl')", "22 listopada 2026", "2026-11-22T00:00:00+01:00"),
    ("parse_time(a, 'pl')", "1 Października 2026 r., godz. 14:05", "2026-10-01T14:05:00+02:00"),
    ("parse_time(a, 'pl')", "3\N{NO-BREAK SPACE}maja 2026 roku o 9:00", "2026-05-03T09:00:00+02:00"),
    ("parse_time(a, 'pl')", "22 lis 2026", "2026-11-22T00:00:00+01:00"),
    ("parse_time(a, 'pl')", "2026-11-22 14:05", "2026-11-22T14:05:00+01:00"),
    ("date(a, 'pl')", "9 wrzesnia 2026", "2026-09-09"),
    ("date(a, 'pl')", "1 marca 2026", "2026-03-01"),
    # Excel's own figures: 1 January 2026 is 46023, 14:05 is 0.586805555555556 of a day.
    ("date(a, 'excel')", "46023", "2026-01-01"),
    ("date(a, 'excel')", 46023, "2026-01-01"),
    ("date(a, 'excel')", "61", "1900-03-01"),
    ("parse_time(a, 'excel')", "46348.58680555555", "2026-11-22T14:05:00+01:00"),
    ("parse_time(a, 'excel')", "46348,5868055556", "2026-11-22T14:05:00+01:00"),
    ("date(a, 'excel1904')", "44561", "2026-01-01"),
    ("parse_time(a)", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00+00:00"),
    ("parse_time(a)", "2026-11-20 10:00:00.250+05:30", "2026-11-20T10:00:00.250000+05:30"),
    ("parse_time(a)", "2026-11-20 10:00", "2026-11-20T10:00:00+01:00"),
    ("parse_time(a)", "2026-07-20", "2026-07-20T00:00:00+02:00"),
    ("parse_time(a)", "2026-11-20 10:00:00 +0100", "2026-11-20T10:00:00+01:00"),
    # The clocks skipped 02:00–03:00 on 29 March 2026 and showed 02:00–03:00 twice on 25 October.
    ("parse_time(a)", "2026-03-29 02:30:00", "2026-03-29T03:30:00+02:00"),
    ("parse_time(a)", "2026-10-25 02:30:00", "2026-10-25T02:30:00+02:00"),
    ("parse_time(a, '%d.%m.%Y %H:%M')", "05.01.2026 07:08", "2026-01-05T07:08:00+01:00"),
    ("parse_time(a, '%d/%b/%Y:%H:%M:%S %z')", "05/Jan/2026:07:08:09 -0300", "2026-01-05T07:08:09-03:00"),
    ("date(a)", "2026-11-20 23:59:59", "2026-11-20"),
    ("date(a)", "2026-11-20T23:59:59-05:00", "2026-11-20"),
    ("date(a, '%d.%m.%y')", "05.01.26", "2026-01-05"),
    ("coalesce(b, a, 'z')", "x", "x"),
    ("lookup('t', a)", "1", "one"),
    ("lookup('t', a)", 1, "one"),
    ("lookup('t', a)", "other", None),
    ("lookup('t', 'flag')", "", True),
    ("minor(a, 'PLN')", "12.34", {"amount": 1234, "currency": "PLN"}),
    ("minor(a, 'PLN')", "12.340", {"amount": 1234, "currency": "PLN"}),
    ("minor(a, 'PLN')", "-0.1", {"amount": -10, "currency": "PLN"}),
    ("minor(a, 'JPY')", "1500", {"amount": 1500, "currency": "JPY"}),
    ("minor(a, 'KWD')", "1.234", {"amount": 1234, "currency": "KWD"}),
    ("minor(a, 'PLN')", "9999999999999.99", {"amount": 999999999999999, "currency": "PLN"}),
    ("minor(a, 'EUR')", 19.99, {"amount": 1999, "currency": "EUR"}),
    ("minor(a, 'EUR')", 1234567.89, {"amount": 123456789, "currency": "EUR"}),
    ("scale(a, `[0, 100]`, `[0, 10]`)", "70", 7),
    ("scale(a, `[0, 100]`, `[0, 10]`)", "75", 7.5),
    ("scale(a, `[1, 5]`, `[0, 10]`)", 4, 7.5),
    ("scale(a, `[0, 1]`, `[0, 10]`)", 0.7, 7),
    ("scale(a, `[1, 6]`, `[5, 0]`)", "1", 5),
    ("lower(a)", "ŁÓDŹ", "łódź"),
    ("mask(a)", "Anna", "A***"),
    ("mask(a)", "A", "***"),
    ("mask(a) == ''", "", True),
    ("join('/', [a, 'x'])", "k", "k/x"),
    ("length(a)", "abc", 3),
]


@pytest.mark.parametrize(("expression", "value", "expected"), READ)
def test_what_is_read(expression: str, value: Any, expected: Any) -> None:
    found = evaluate(expression, {"a": value}, tables="{t: {1: one, flag: true}}")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "call",
    [
        *("number(a)", "date(a)", "parse_time(a)", "parse_time(a, '%Y-%m-%d')", "coalesce(a)", "lookup('t', a)"),
        *("number(a, ',')", "parse_time(a, 'pl')", "date(a, 'excel')", "minor(a, 'PLN', ',')"),
        *("minor(a, 'PLN')", "minor(a, b)", "scale(a, `[0, 1]`, `[0, 2]`)", "lower(a)", "strip_html(a)", "mask(a)"),
    ],
)
def test_null_stays_null_and_is_left_out(call: str) -> None:
    assert evaluate(call, {"a": None}, tables="{t: {}}") is None


REJECTED = [
    ("number(a)", "4,5", "decimal mark"),
    ("number(a, ',')", "1.234", "can be read as 1234"),
    ("number(a, ',')", "1 23,4", "not a number"),
    ("number(a, ',')", "1.234 567,8", "not a number"),
    ("number(a, ',')", "1,234,567", "not a number"),
    ("number(a, ',')", "1234 567", "not a number"),
    ("number(a, '.')", "4,5", "not a number"),
    ("number(a, ',')", "12,34 zł", "not a number"),
    ("minor(a, 'PLN', ',')", "12,345", "more decimals"),
    ("parse_time(a, 'pl')", "11/22/2026", "'pl'"),
    ("parse_time(a, 'pl')", "22.11.26", "'pl'"),
    ("parse_time(a, 'pl')", "22.11/2026", "'pl'"),
    ("parse_time(a, 'pl')", "31 listopada 2026", "'pl'"),
    ("parse_time(a, 'pl')", "22 brumaire 2026", "'pl'"),
    ("parse_time(a, 'pl')", "22.11.2026 25:00", "'pl'"),
    ("parse_time(a, 'pl')", 46023, "not text"),
    ("date(a, 'excel')", "60", "'excel'"),
    ("date(a, 'excel')", "2958466", "'excel'"),
    ("date(a, 'excel')", "2026-01-01", "'excel'"),
    ("date(a, 'excel')", True, "not text"),
    ("number(a)", "nine", "'nine'"),
    ("number(a)", "", "not a number"),
    ("number(a)", "١", "not a number"),
    ("number(a)", "NaN", "not a number"),
    ("number(a)", "1e999", "too large"),
    ("number(a)", "1_000", "not a number"),
    ("number(a)", True, "not a number"),
    ("number(a)", "9" * 5000, "not a number"),
    ("parse_time(a)", "20.11.2026", "ISO 8601"),
    ("parse_time(a)", "2026-02-30", "2026-02-30"),
    ("parse_time(a)", "2026-W01-1", "ISO 8601"),
    ("parse_time(a)", "2026-11-20 25:00", "ISO 8601"),
    ("parse_time(a)", "1700000000", "ISO 8601"),
    ("parse_time(a)", 1700000000, "not text"),
    ("parse_time(a)", "0001-01-01", "outside the calendar"),
    ("parse_time(a, '%Y-%m-%d %z')", "1900-01-01 +01:24:30", "seconds"),
    ("parse_time(a, '%d.%m.%Y')", "2026-11-20", "'%d.%m.%Y'"),
    ("date(a)", "tomorrow", "'tomorrow'"),
    ("date(a)", " " * 5000, "ISO 8601"),
    ("minor(a, 'PLN')", "12.345", "more decimals"),
    ("minor(a, 'JPY')", "1.5", "more decimals"),
    ("minor(a, 'PLN')", "12,34", "decimal mark"),
    ("minor(a, 'PLN')", "1e40", "more than an amount"),
    ("minor(a, 'PLN')", "10000000000000.01", "more than an amount"),
    ("minor(a, 'UYW')", "100000000000.0001", "more than an amount"),
    ("minor(a, b)", "1", "not a currency"),
    ("scale(a, `[0, 100]`, `[0, 10]`)", "101", "outside"),
    ("scale(a, `[1, 1]`, `[0, 10]`)", "1", "differ"),
    ("scale(a, `[1]`, `[0, 10]`)", "1", "range"),
    ("lookup(a, 'k')", "nowhere", "no table"),
    ("lower(a)", 5, "to_string()"),
    ("join('/', [a, b])", "x", "join()"),
    ("a > `3`", "5", "number()"),
    ("a[::0]", ["x"], "step"),
    ("strip_html(a)", "&#" + "9" * 5000, "strip_html()"),
]


@pytest.mark.parametrize(("expression", "value", "word"), REJECTED)
def test_what_cannot_be_read_rejects_the_row_and_names_the_field(expression: str, value: Any, word: str) -> None:
    with pytest.raises(RowError) as rejected:
        evaluate(expression, {"a": value}, tables="{t: {}}")
    assert rejected.value.field == "data.text"
    assert word in rejected.value.message
    assert len(rejected.value.message) < 300


def test_a_time_without_offset_needs_the_documents_timezone() -> None:
    assert evaluate("parse_time(a)", {"a": "2026-01-01T00:00:00Z"}, timezone=None) == "2026-01-01T00:00:00+00:00"
    with pytest.raises(RowError, match="timezone"):
        evaluate("parse_time(a)", {"a": "2026-01-01"}, timezone=None)


def test_a_midnight_that_sao_paulo_skipped_moves_forward_and_keeps_its_date() -> None:
    zone = {"timezone": "America/Sao_Paulo"}
    assert evaluate("parse_time(a)", {"a": "2017-10-15"}, **zone) == "2017-10-15T01:00:00-02:00"
    assert evaluate("date(a)", {"a": "2017-10-15 00:00:00"}, **zone) == "2017-10-15"


MARKUP = [
    (
        "<p>Za <b>p\u00f3\u017ano</b>!</p><p>Nigdy&nbsp;wi\u0119cej &amp; do\u015b\u0107</p>",
        "Za p\u00f3\u017ano!\nNigdy wi\u0119cej & do\u015b\u0107",
    ),
    ("one<br/>two<BR>three", "one\ntwo\nthree"),
    ("I <3 you, a < b > c", "I <3 you, a < b > c"),
    ("a<!-- hidden > still -->b", "ab"),
    ("a<script>if (x < 1) { alert('<b>') }</script>b<STYLE>p > a {}</style >c", "abc"),
    ("<a title=\"x > y\" href='z>'>link</a>", "link"),
    ("never <b closed", "never <b closed"),
    ("&lt;b&gt;", "<b>"),
    ("<!DOCTYPE html><?xml?>x", "x"),
    ("it's <i>fine</i> <p class=\"open>text", "it's fine\ntext"),
    ("", ""),
]


@pytest.mark.parametrize(("markup", "text"), MARKUP)
def test_strip_html_keeps_what_a_reader_would_read(markup: str, text: str) -> None:
    assert (evaluate("strip_html(a)", {"a": markup}) or "") == text
