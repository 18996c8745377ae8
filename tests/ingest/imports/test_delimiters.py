"""What stands between cells is seen where rows agree on it, and asked for where two readings agree."""

import pytest

from services.ingest.imports.delimiters import DelimiterError, sniff
from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla


@pytest.mark.parametrize(
    ("sample", "mark"),
    [
        ("id,stars\n1,5\n2,4\n", ","),
        ("id;stars\n1;4,5\n2;3,5\n", ";"),
        ("id\tstars\ttext\n1\t5\ta, b; c\n", "\t"),
        ("id|stars\n1|5\n", "|"),
        ('id;"a, b, c, d";text\n1;2;"x\ny"\n', ";"),
        ("id;nazwa, opis;ocena\n1;kubek, biały;5\n2;kubek, czarny;4\n", ";"),
        ("id;text\n1;a\n2;b;c\n" + "3;x\n" * 20, ";"),
        ("id\n1\n2\n", ","),
        ("id;stars", ";"),
        ("\n\nid;stars\n1;5\n", ";"),
        ("sep=|\r\nid|text, more\r\n1|a, b\r\n", "|"),
        ("", ","),
        # Rows that are damaged, and a quote that never ends.
        ("id;stars;text\n1;5\n2;4;a;b\n", ";"),
        ('id;stars;text\n1;5;"x\n2;4;a\n', ";"),
        # The sample ends in the middle of a row.
        ("id;a;b\n1;2;3\n4;", ";"),
    ],
)
def test_what_cuts_the_rows_alike(sample: str, mark: str) -> None:
    assert sniff(sample) == mark


def test_two_readings_are_asked_about() -> None:
    with pytest.raises(DelimiterError, match=r"';' or ','.*name it in the mapping"):
        sniff("id;a,b\n1;2,3\n4;5,6\n")
    with pytest.raises(DelimiterError):
        sniff("id;a,b\n1\n4\n")


def test_a_file_of_a_polish_excel_needs_no_format(importing: Import) -> None:
    importing.mapping.write_text(
        importing.mapping.read_text()
        .replace("format: {type: csv}\n", "")
        .replace("number(stars)", "\"number(stars, ',')\"")
        .replace("parse_time(day)", "\"parse_time(day, 'pl')\"")
    )
    rows = (
        "id;stars;day;text\r\n1;4,5;22.11.2026 14:05;Świetna, miła obsługa\r\n2;2,0;1 grudnia 2026;Spóźniona paczka\r\n"
    )
    importing.file.write_bytes(rows.encode("cp1250"))
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert [(event["time"], event["data"]["score"], event["data"]["text"]) for event in petla.events] == [
        ("2026-11-22T14:05:00+01:00", 4.5, "Świetna, miła obsługa"),
        ("2026-12-01T00:00:00+01:00", 2.0, "Spóźniona paczka"),
    ]


def test_a_named_delimiter_holds_also_under_excels_first_line(importing: Import) -> None:
    importing.mapping.write_text(importing.mapping.read_text().replace("{type: csv}", '{type: csv, delimiter: ";"}'))
    importing.file.write_text("sep=;\nid;stars;day;text\n1;5;;a\n")
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert importing.counts["rows"] == 1


def test_json_lines_are_known_without_a_format(importing: Import) -> None:
    importing.mapping.write_text(importing.mapping.read_text().replace("format: {type: csv}\n", ""))
    importing.file.write_text('{"id": 1, "stars": 5, "text": "a, b; c"}\n')
    petla = FakePetla()
    assert importing.run(petla) == 0
    assert petla.events[0]["data"]["text"] == "a, b; c"
