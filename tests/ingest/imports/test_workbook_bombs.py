"""A workbook that would cost more than it is worth is refused with a sentence, before anything is allocated for it."""

import io
import zipfile
from pathlib import Path

import pytest

from services.ingest.imports import sheet_look, workbook_guard
from services.ingest.imports.opening import open_source
from services.ingest.imports.rows import FileError
from services.ingest.mapping import Format
from tests.ingest.imports import workbooks
from tests.ingest.imports.workbooks import packed, parts, text


def refused(tmp_path: Path, content: bytes) -> str:
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(FileError) as error, open_source(tmp_path / "a.xlsx", Format()) as source:
        list(source.rows())
    return str(error.value)


HEAD = f'<row r="1">{text("A1", "id")}</row>'


@pytest.mark.parametrize("most", ["MOST_UNPACKED", "MOST_BESIDE_SHEETS"])
def test_a_few_bytes_that_unpack_to_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str) -> None:
    monkeypatch.setattr(workbook_guard, most, 8 * 1024 * 1024)
    bomb = packed(parts(HEAD, {"xl/sharedStrings.xml": " " * 9 * 1024 * 1024}))
    assert len(bomb) < 20_000
    assert "unpacks to more than 8,388,608 bytes" in refused(tmp_path, bomb)


def test_a_size_that_the_archive_lies_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "MOST_UNPACKED", 1024 * 1024)
    honest = packed(parts(HEAD, {"xl/sharedStrings.xml": " " * 9 * 1024 * 1024}))
    lying = honest.replace((9 * 1024 * 1024).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    assert any(word in refused(tmp_path, lying) for word in ("unpacks", "damaged"))


@pytest.mark.parametrize(
    "sheet",
    [
        f'{HEAD}<row r="9">{text("XFD1048576", "x")}</row>',
        f'{HEAD}<row r="300">{text("XFD300", "x")}</row>',
        f'{HEAD}<row r="9"><c s=">" r="XFD1048576"><v>1</v></c></row>',
        "<x:row xmlns:x='y' r='9'><x:c r='XFD1048576'><x:v>1</x:v></x:c></x:row>",
        f'{HEAD}<row r="1000000"><c r="AAA1"><v>1</v></c><c><v>1</v></c></row><row><c><v>1</v></c></row>',
    ],
)
def test_one_cell_in_the_last_corner(tmp_path: Path, sheet: str) -> None:
    assert "delete what stands far below or beside the table" in refused(tmp_path, packed(parts(sheet)))


@pytest.mark.parametrize("reference", ["A99999999999", "A0", "a1", "", "A-1", "ABCD1", "1", "A1 "])
def test_a_place_that_is_none(tmp_path: Path, reference: str) -> None:
    sheet = f'{HEAD}<row r="2"><c r="{reference}"><v>1</v></c></row>'
    assert "which is none" in refused(tmp_path, packed(parts(sheet)))


def test_a_sheet_that_says_it_is_in_another_encoding(tmp_path: Path) -> None:
    """Read as UTF-16 it would hold harmless signs, read as bytes a cell in the last corner."""
    content = parts(HEAD)
    hidden = b'<c r="XFD1048576"><v>1</v></c>'.decode("utf-16-le")
    whole = content["xl/worksheets/sheet1.xml"].replace("</sheetData>", f"<t>{hidden}</t></sheetData>")
    refused(tmp_path, packed({**content, "xl/worksheets/sheet1.xml": whole.encode("utf-16")}))


def test_more_merged_cells_than_anyone_merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_look, "MOST_MERGED", 10)
    assert "merged cells" in refused(tmp_path, packed(parts(HEAD + '<mergeCell ref="A1:A2"/>' * 11)))


def test_more_values_than_cells_with_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_look, "MOST_CELLS", 1000)
    assert "more than 1,000 cells" in refused(tmp_path, packed(parts("<row>" + "<c><v>1</v></c>" * 1001 + "</row>")))


def test_a_workbook_that_is_too_large_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "MOST_PACKED", 100)
    assert "100 is the most" in refused(tmp_path, packed(parts(HEAD)))


def test_entities_that_multiply(tmp_path: Path) -> None:
    assert "begins as no sheet does" in refused(
        tmp_path, packed(parts(HEAD, {"xl/worksheets/sheet1.xml": '<!DOCTYPE x [<!ENTITY a "h">]><worksheet/>'}))
    )
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><workbook>&b;</workbook>'
    assert "not as workbooks have it" in refused(tmp_path, packed(parts(HEAD, {"xl/workbook.xml": laughs})))


def test_two_parts_of_one_name(tmp_path: Path) -> None:
    twice = io.BytesIO(packed(parts(HEAD)))
    with zipfile.ZipFile(twice, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("xl/worksheets/sheet1.xml", "")
    assert "two parts of one name" in refused(tmp_path, twice.getvalue())


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    assert "no Excel workbook" in refused(tmp_path, packed({"mimetype": "application/vnd.oasis.opendocument"}))


def test_a_cut_or_changed_workbook_is_a_sentence(tmp_path: Path) -> None:
    workbooks.write(tmp_path / "whole.xlsx", lambda sheet: sheet.append(["id", 5]))
    whole = (tmp_path / "whole.xlsx").read_bytes()
    for end in range(4, len(whole), len(whole) // 40):
        refused(tmp_path, whole[:end])


def test_a_sheet_that_is_no_xml_is_a_sentence(tmp_path: Path) -> None:
    content = parts(HEAD)
    content["xl/worksheets/sheet1.xml"] = "<worksheet><sheetData><row r='1'><c r='A1'><v>1</w></c>"
    assert "damaged" in refused(tmp_path, packed(content))


def test_cells_are_seen_across_the_pieces_in_which_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "_PIECE", 7)
    content = packed(parts(f'{HEAD}<row r="2">{text("A2", "b")}<c r="B2"><f>A1</f><v/></c></row>'))
    assert "the formula in B2" in refused(tmp_path, content)
