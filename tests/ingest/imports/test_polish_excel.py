"""The example of a Polish Excel's table: the CSV file as it lies there, and the same sheet as a workbook."""

import csv
from pathlib import Path

import pytest
from openpyxl.worksheet.worksheet import Worksheet

from tests.ingest.imports import workbooks
from tests.ingest.imports.conftest import Import
from tests.ingest.imports.fake_petla import FakePetla

EXAMPLE = Path(__file__).parents[3] / "examples" / "polish_excel"

ANSWERS = [
    ("ankieta-1", "2026-11-22T14:05:00+01:00", 4.5, "2026/11/0017", "Świetna obsługa, dziękuję"),
    ("ankieta-2", "2026-11-22T00:00:00+01:00", 2, "2026/11/0018", "Paczka spóźniona; karton zgnieciony"),
]
TOTALS = [("2026/11/0017", 12999), ("2026/11/0018", 123450), ("2026/11/0019", 8900)]


@pytest.fixture
def example(importing: Import) -> Import:
    importing.mapping.write_bytes((EXAMPLE / "answers.yaml").read_bytes())
    return importing


def check(example: Import) -> None:
    petla = FakePetla()
    assert example.run(petla) == 0
    assert example.counts == {"rows": 3, "sent": 5, "accepted": 5, "ignored": 0, "rejected": 0}
    answers = [event for event in petla.events if event["type"] == "feedback.received.v1"]
    assert [
        (event["id"], event["time"], event["data"]["score"], event["data"]["order_id"], event["data"]["text"])
        for event in answers
    ] == ANSWERS
    orders = [event for event in petla.events if event["type"] == "order.placed.v1"]
    assert [(event["id"], event["data"]["total"]["amount"]) for event in orders] == TOTALS


def test_the_csv_file(example: Import) -> None:
    example.file.write_bytes((EXAMPLE / "answers.csv").read_bytes())
    check(example)


def test_the_same_as_a_workbook(example: Import) -> None:
    lines = list(csv.reader((EXAMPLE / "answers.csv").read_text(encoding="cp1250").splitlines(), delimiter=";"))

    def fill(sheet: Worksheet) -> None:
        for line in lines:
            sheet.append(line)
        sheet["A2"], sheet["D2"], sheet["D3"], sheet["E2"] = 1, 4.5, 2, 129.99

    example.file = example.folder / "answers.xlsx"
    workbooks.write(example.file, fill)
    check(example)
