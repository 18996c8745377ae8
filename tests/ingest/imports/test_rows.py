"""What is read: CSV and JSONL, plain and gzip; a damaged row is rejected and reading goes on behind it."""

import gzip
import json

import pytest

from services.ingest.imports.text_rows import LONGEST_LINE
from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla


def reform(importing: Import, form: str) -> None:
    importing.mapping.write_text(importing.mapping.read_text().replace("{type: csv}", form))


def texts(petla: FakePetla) -> list[str | None]:
    return [event["data"].get("text") for event in petla.events]


def test_gzip_is_known_by_its_bytes_and_errors_are_named_after_the_file_inside(importing: Import) -> None:
    importing.file = importing.folder / "rows.csv.gz"
    importing.file.write_bytes(gzip.compress(b"id,stars,day,text\n1,5,,a\n2,9,,b\n"))
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert texts(petla) == ["a"]
    assert [error["row"] for error in importing.errors()] == [2]


def test_a_cut_gzip_file_sends_nothing(importing: Import) -> None:
    whole = gzip.compress("\n".join(["id,stars,day,text", *(f"{n},5,,{n * 7919}" for n in range(3000))]).encode())
    importing.file.write_bytes(whole[: len(whole) // 2])
    petla = FakePetla()
    assert importing.run(petla) == 2
    assert "damaged" in importing.stderr
    assert petla.requests == []


def test_quotes_newlines_bom_and_blank_lines(importing: Import) -> None:
    content = '\ufeffid,stars,day,text\r\n1,5,,"a ""b""\nc, d"\r\n\r\n2,4,, e \r\n'
    importing.file.write_bytes(content.encode())
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert texts(petla) == ['a "b"\nc, d', " e "]
    assert importing.counts["rows"] == 2


def test_rows_of_nothing_but_delimiters_are_no_rows(importing: Import) -> None:
    """As a spreadsheet writes rows that were emptied, or only coloured."""
    importing.file.write_text(",,,\nid,stars,day,text\n1,5,,a\n,,,\n2,4,,b\n,,,\n,,\n")
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert texts(petla) == ["a", "b"]
    assert importing.counts["rows"] == 2


def test_blanks_around_a_columns_name_are_no_part_of_it(importing: Import) -> None:
    importing.file.write_text("id ,stars,\N{NO-BREAK SPACE}day, text\n1,5,, a \n")
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert texts(petla) == [" a "]


def test_delimiter_and_encoding(importing: Import) -> None:
    reform(importing, '{type: csv, delimiter: ";", encoding: cp1250}')
    importing.file.write_bytes("id;stars;day;text\n1;5;;Zażółć, gęślą\n".encode("cp1250"))
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert texts(petla) == ["Zażółć, gęślą"]


def test_utf_16(importing: Import) -> None:
    reform(importing, "{type: csv, encoding: utf-16}")
    importing.file.write_bytes("id,stars,day,text\n1,5,,Łódź\n".encode("utf-16"))
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert texts(petla) == ["Łódź"]


def test_a_file_that_ends_within_a_character_is_told_with_the_encoding_it_has(importing: Import) -> None:
    importing.file.write_bytes("id,stars,day,text\n1,5,,Łódź\n".encode("utf-16")[:-1])
    assert importing.run(FakePetla()) == 2
    assert "there are bytes that are not utf-16: name" in importing.stderr


def test_what_the_encoding_cannot_read_at_all_ends_the_import(importing: Import) -> None:
    reform(importing, "{type: csv, encoding: utf-16}")
    importing.rows("1,5,,Łódź!")
    assert importing.run(FakePetla()) == 2
    assert "says utf-16, but its bytes are utf-8" in importing.stderr


def test_unknown_bytes_reject_their_row_only(importing: Import) -> None:
    importing.file.write_bytes("id,stars,day,text\n1,5,,ł@\n2,5,,b\n".encode().replace(b"@", b"\xb3"))
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert texts(petla) == ["b"]
    (error,) = importing.errors()
    assert error["row"] == 1
    assert "line 2, column 7 holds the byte 0xB3, which is not utf-8" in error["message"]


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (b"", "empty"),
        (b"id,\xb3\n", "line 1, column 4 holds the byte 0xB3"),
        (b"a,b,a\n1,2,3\n", "'a'"),
        (b'"a\n', "names"),
    ],
)
def test_a_bad_header_sends_nothing(importing: Import, header: bytes, word: str) -> None:
    importing.file.write_bytes(header)
    assert importing.run(FakePetla()) == 2
    assert word in importing.stderr


def test_damaged_csv_rows_are_rejected_and_reading_goes_on(importing: Import) -> None:
    importing.rows('1,5,,"a" b', "2,5,,c,d", f"3,5,,{'x' * LONGEST_LINE}", "4,5,,ok", '5,5,,"open')
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert texts(petla) == ["ok"]
    errors = importing.errors()
    assert [error["row"] for error in errors] == [1, 2, 3, 5]
    assert "5 cells" in errors[1]["message"]
    assert "longer" in errors[2]["message"]


def test_a_large_cell_is_read(importing: Import) -> None:
    importing.rows(f"1,5,,{'x' * 200_000}")
    assert importing.run(FakePetla()) == 0


def test_row_numbers_are_a_column(importing: Import) -> None:
    importing.mapping.write_text(
        importing.mapping.read_text().replace("id: id", "id: \"join('-', ['row', to_string(_row)])\"")
    )
    importing.rows("a,5,,", "a,5,,")
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert [event["id"] for event in petla.events] == ["row-1", "row-2"]


def test_json_lines(importing: Import) -> None:
    reform(importing, "{type: jsonl}")
    lines = [
        json.dumps({"id": 1, "stars": 5, "text": "a"}),
        "",
        "{broken",
        "[1]",
        '{"id": 2, "stars": 5, "other": NaN}',
        "[" * 100_000,
        '{"id": 3, "stars": 4, "text": "\\ud800"}',
        '{"id": 4, "stars": 1e999}',
        '{"id": 5, "stars": ' + "9" * 5000 + "}",
        '{"id": 6, "stars": 3, "text": "' + "x" * LONGEST_LINE + '"}',
        json.dumps({"id": 7, "stars": 4, "text": "b"}),
    ]
    importing.file.write_text("\n".join(lines))
    petla = FakePetla()
    assert importing.run(petla) == 1
    assert [(event["id"], event["data"]["text"]) for event in petla.events] == [("1", "a"), ("7", "b")]
    assert importing.counts == {"rows": 10, "sent": 2, "accepted": 2, "ignored": 0, "rejected": 8}
    assert [error["row"] for error in importing.errors()] == [2, 3, 4, 5, 6, 7, 8, 9]
