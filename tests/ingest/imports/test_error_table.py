"""The errors as a table: opened by a Polish Excel on a double click, and computed by none."""

import csv

import pytest

from services.ingest.imports.error_table import cell
from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla

TABLE = "rows.csv.errors.csv"


def test_the_table_says_what_the_error_file_says(importing: Import) -> None:
    importing.rows("1,zażółć,,", "2,5", "3,9,,")
    assert importing.run(FakePetla()) == 1
    raw = (importing.folder / TABLE).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == 4
    names, *rows = csv.reader(raw.decode("utf-8-sig").splitlines(), delimiter=";")
    assert names == ["row", "field", "message"]
    told = [[str(error["row"]), error["field"] or "", error["message"]] for error in importing.errors()]
    assert rows == told
    assert "'zażółć'" in rows[0][2]


def test_a_message_that_a_sender_made_to_be_computed_is_text(importing: Import) -> None:
    importing.rows("1,9,,")
    petla = FakePetla()
    petla.interludes = [petla.reject_saying("=cmd|' /C calc'!A0")]
    assert importing.run(petla) == 1
    assert importing.errors()[0]["message"].startswith("=cmd")
    assert "\"'=cmd|' /C calc'!A0\"" in (importing.folder / TABLE).read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\0=1", "  =1", "＝1", "＋1", "－1", "＠a"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "data.score", "9 is above", "'nine' = nine", "1-2", "  text"])
def test_other_text_stays(text: str) -> None:
    assert cell(text) == text


def test_a_table_of_an_earlier_run_does_not_stay(importing: Import) -> None:
    importing.rows("1,9,,")
    assert importing.run(FakePetla()) == 1
    importing.rows("1,5,,")
    assert importing.run(FakePetla()) == 0
    assert importing.left() == set()
    importing.rows(*(f"{number},9,," for number in range(600)))
    assert importing.run(FakePetla()) == 1
    petla = FakePetla()
    petla.interludes = [petla.accept, 401]
    assert importing.run(petla) == 3
    assert TABLE not in importing.left()
