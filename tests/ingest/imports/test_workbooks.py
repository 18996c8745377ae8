# ruff: noqa: DTZ001 - a cell knows no offset
"""An .xlsx sheet gives the rows that a person sees in it, through the same mapping as a CSV file."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from services.ingest.imports.opening import open_source
from services.ingest.imports.rows import FileError, Row
from services.ingest.mapping import Format
from tests.ingest.imports import workbooks
from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla


def rows(path: Path, sheet: str | None = None) -> list[Row]:
    with open_source(path, Format(sheet=sheet)) as source:
        return list(source.rows())


def cells_of(path: Path, *lines: list[Any]) -> list[dict[str, Any]]:
    def fill(sheet: Worksheet) -> None:
        for line in lines:
            sheet.append(line)

    workbooks.write(path, fill)
    return [row.cells for row in rows(path)]


@pytest.fixture
def workbook(importing: Import) -> Import:
    importing.file = importing.folder / "rows.xlsx"
    importing.mapping.write_text(importing.mapping.read_text().replace("format: {type: csv}\n", ""))
    return importing


def fill_three(sheet: Worksheet) -> None:
    sheet.append(["id", "stars", "day", "text"])
    sheet.append(["a", 5, datetime(2026, 11, 22, 14, 5), "Świetnie"])
    sheet.append(["b", 9, date(2026, 11, 23), None])
    sheet.append([3, 4.5, "2026-11-24", "=cmd|' /C calc'!A0"])
    sheet["D4"].data_type = "s"


def test_a_workbook_is_imported_like_a_csv_file(workbook: Import) -> None:
    workbooks.write(workbook.file, fill_three)
    petla = FakePetla()
    assert workbook.run(petla) == 1
    assert workbook.counts == {"rows": 3, "sent": 3, "accepted": 2, "ignored": 0, "rejected": 1}
    assert [(event["id"], event["time"], event["data"]["score"]) for event in petla.events] == [
        ("a", "2026-11-22T14:05:00+01:00", 5),
        ("3", "2026-11-24T00:00:00+01:00", 4.5),
    ]
    assert petla.events[1]["data"]["text"] == "=cmd|' /C calc'!A0"


def test_a_stopped_import_of_a_workbook_goes_on_and_a_repeated_one_sends_the_same(workbook: Import) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append(["id", "stars", "day", "text"])
        for number in range(1200):
            sheet.append([f"r-{number}", 9 if number == 700 else 5, None, None])

    workbooks.write(workbook.file, fill)
    petla = FakePetla()
    petla.interludes = [petla.accept, 401]
    assert workbook.run(petla) == 3
    assert len(petla.events) == 500
    assert workbook.run(petla) == 1
    assert workbook.counts == {"rows": 1200, "sent": 1200, "accepted": 1199, "ignored": 0, "rejected": 1}
    assert [event["id"] for event in petla.events] == [f"r-{number}" for number in range(1200) if number != 700]
    again = FakePetla()
    assert workbook.run(again) == 1
    assert again.events == petla.events


def test_what_a_cell_holds_becomes_text_as_in_a_csv_file(tmp_path: Path) -> None:
    names = ["phone", "code", "price", "at", "on", "hour", "lasted", "yes", "space", "none"]
    values = [48123456789, "00123", 0.1, datetime(2026, 11, 22, 14, 5, 9), date(2026, 11, 22), time(14, 5)]
    (found,) = cells_of(tmp_path / "a.xlsx", names, [*values, timedelta(hours=30, minutes=5), True, " x ", None])
    assert found == {
        "phone": "48123456789",
        "code": "00123",
        "price": "0.1",
        "at": "2026-11-22 14:05:09",
        "on": "2026-11-22",
        "hour": "14:05:00",
        "lasted": "30:05:00",
        "yes": "true",
        "space": " x ",
        "none": None,
    }


def test_the_table_may_stand_anywhere_and_empty_rows_do_not_count(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["C4"], sheet["E4"] = "id", "stars"
        sheet["C6"], sheet["E6"], sheet["D6"] = "a", 5, "under no name"
        sheet["C9"] = "b"

    workbooks.write(tmp_path / "a.xlsx", fill)
    found = rows(tmp_path / "a.xlsx")
    assert [(row.number, row.cells) for row in found] == [
        (1, {"id": "a", "stars": "5"}),
        (2, {"id": "b", "stars": None}),
    ]


def test_a_cell_merged_over_rows_is_each_rows_and_over_columns_the_firsts(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for line in (
            ["", ""],
            ["", "order", "item", "note"],
            ["", "o-1", "cup", "x"],
            ["", "", "pot"],
            ["", "", "pan"],
        ):
            sheet.append(line)
        sheet.append(["", "o-2", "lid", "y"])
        sheet.merge_cells("B3:B5")
        sheet.merge_cells("C6:D6")

    workbooks.write(tmp_path / "a.xlsx", fill)
    assert [tuple(row.cells.values()) for row in rows(tmp_path / "a.xlsx")] == [
        ("o-1", "cup", "x"),
        ("o-1", "pot", None),
        ("o-1", "pan", None),
        ("o-2", "lid", None),
    ]


def test_a_formula_gives_its_value(tmp_path: Path) -> None:
    sheet = f'<row r="1">{workbooks.text("A1", "id")}{workbooks.text("B1", "n")}</row>'
    formula = '<c r="A2" t="str"><f>""</f><v></v></c><c r="B2"><f>SUM(1,2)&gt;0</f><v>3</v></c>'
    (tmp_path / "a.xlsx").write_bytes(workbooks.packed(workbooks.parts(f'{sheet}<row r="2">{formula}</row>')))
    assert [row.cells for row in rows(tmp_path / "a.xlsx")] == [{"id": None, "n": "3"}]


@pytest.mark.parametrize("value", ["", "<v/>", "<v></v>", "<v />"])
def test_a_formula_that_was_never_computed_is_refused(tmp_path: Path, value: str) -> None:
    sheet = f'<row r="1">{workbooks.text("A1", "id")}<c r="B1" s="1"><f>A1+1</f>{value}</c></row>'
    (tmp_path / "a.xlsx").write_bytes(workbooks.packed(workbooks.parts(sheet)))
    with pytest.raises(FileError, match=r"the formula in B1 of the sheet 'S' has no value: open the workbook"):
        rows(tmp_path / "a.xlsx")


def test_an_error_cell_rejects_its_row_where_it_is_used_and_does_no_harm_elsewhere(workbook: Import) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append(["id", "stars", "day", "text", "other"])
        sheet.append(["a", 5, None, "x", "#N/A"])
        sheet.append(["b", "#DIV/0!", None, "x", 1])
        sheet["E2"].data_type = sheet["B3"].data_type = "e"

    workbooks.write(workbook.file, fill)
    petla = FakePetla()
    assert workbook.run(petla) == 1
    assert [event["id"] for event in petla.events] == ["a"]
    (error,) = workbook.errors()
    assert (error["row"], error["field"]) == (2, "when")
    assert "the cell B3 holds an error" in error["message"]


def test_digits_that_excel_made_up_are_not_taken_for_an_id(workbook: Import) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append(["id", "stars", "day", "text"])
        sheet.append([999_999_999_999_999, 5])
        sheet.append([123_456_789_012_345_678, 5])

    workbooks.write(workbook.file, fill)
    petla = FakePetla()
    assert workbook.run(petla) == 1
    assert [event["id"] for event in petla.events] == ["999999999999999"]
    (error,) = workbook.errors()
    assert (error["row"], error["field"]) == (2, "id")
    assert "A3 has more than 15 digits" in error["message"]


def several_sheets(path: Path) -> None:
    workbook = Workbook()
    for name in ("Styczeń", "Luty", "Pusty"):
        workbook.create_sheet(name)
    hidden = workbook.create_sheet("Ukryty")
    hidden.sheet_state = "hidden"
    for name in ("Styczeń", "Luty", "Ukryty"):
        workbook[name].append(["id"])
        workbook[name].append([name])
    workbook.save(path)


def test_a_sheet_is_named(tmp_path: Path) -> None:
    several_sheets(tmp_path / "a.xlsx")
    for name in ("Luty", "Ukryty"):
        assert [row.cells for row in rows(tmp_path / "a.xlsx", name)] == [{"id": name}]
    with pytest.raises(FileError, match=r"no sheet 'luty' \(there are: .*'Luty'"):
        rows(tmp_path / "a.xlsx", "luty")


def test_of_several_sheets_one_must_be_named(tmp_path: Path) -> None:
    several_sheets(tmp_path / "a.xlsx")
    with pytest.raises(FileError, match=r"'Styczeń', 'Luty'.*name one of them"):
        rows(tmp_path / "a.xlsx")


def test_an_empty_workbook_and_a_name_that_stands_twice_are_refused(tmp_path: Path) -> None:
    workbooks.write(tmp_path / "a.xlsx", lambda _: None)
    with pytest.raises(FileError, match="empty"):
        rows(tmp_path / "a.xlsx")
    with pytest.raises(FileError, match="the sheet is empty"):
        rows(tmp_path / "a.xlsx", "Ankiety")
    with pytest.raises(FileError, match="'id' stands in the first line twice"):
        cells_of(tmp_path / "a.xlsx", ["id", "id"])


@pytest.mark.parametrize(
    ("kind", "content", "word"),
    [
        ("csv", b"PK\x03\x04rest", "this is a workbook"),
        ("xlsx", b"id,stars\n", "no .xlsx workbook"),
        (None, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "before 2007, or one with a password"),
        (None, b"PK\x03\x04rest", "damaged"),
    ],
)
def test_a_file_that_is_something_else_is_refused(
    workbook: Import, kind: str | None, content: bytes, word: str
) -> None:
    workbook.mapping.write_text((f"format: {{type: {kind}}}\n" if kind else "") + workbook.mapping.read_text())
    workbook.file.write_bytes(content)
    petla = FakePetla()
    assert workbook.run(petla) == 2
    assert word in workbook.stderr
    assert petla.requests == []


def test_an_error_cell_is_no_empty_cell_for_a_rule_over_items(workbook: Import) -> None:
    workbook.mapping.write_text(
        "ce_source: /x\nrules:\n  - foreach: split(id, ',')\n    emit: feedback.received.v1\n    id: item\n"
        "    map: {metric: \"'comment'\", text: text}\n"
    )

    def fill(sheet: Worksheet) -> None:
        sheet.append(["id", "text"])
        sheet.append(["a,b", "#N/A"])
        sheet["B2"].data_type = "e"

    workbooks.write(workbook.file, fill)
    petla = FakePetla()
    assert workbook.run(petla) == 1
    assert petla.events == []
