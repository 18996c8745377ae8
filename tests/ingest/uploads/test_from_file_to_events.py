"""A file from a page: seen first, then imported as `petla import` does it, and nothing of it stays."""

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from services.ingest.imports import command
from services.ingest.uploads.choosing import example
from tests.ingest.imports import workbooks
from tests.ingest.uploads.shop import ANSWERS, MAPPING, ROOT, Shop

ROWS = ANSWERS + "1;19.11.2026 14:05;nps;9;Szybko\r\n2;19 listopada 2026;gwiazdki;4,5;\r\n3;;polecenie;nie;Źle\r\n"


def facts(shop: Shop) -> dict[str, dict[str, object]]:
    return {event.id: msgspec.json.decode(event.data) for event in shop.ingest.events()}


async def test_a_table_of_the_ready_made_columns_becomes_answers(shop: Shop) -> None:
    path = await shop.sent(ROWS.encode("cp1250"), "odpowiedzi.csv", encoding="cp1250")
    page = await shop.page(path)
    assert "Preview odpowiedzi.csv · CSV, 124 B · encoding cp1250 · delimiter: semicolon ;" in page
    assert "The whole file rows 3 give events 3 ignored 0 rejected 0" in page
    assert "feedback.received.v1 3" in page
    assert facts(shop) == {}
    done = await shop.imported(path)
    assert "Loaded" in done
    assert "3 rows, ignored: 0" in done
    assert facts(shop) == {
        "1": {"metric": "nps", "score": 9.0, "scale_min": 0.0, "scale_max": 10.0, "feedback_id": "1", "text": "Szybko"},
        "2": {"metric": "rating", "score": 4.5, "scale_min": 1.0, "scale_max": 5.0, "feedback_id": "2"},
        "3": {
            "metric": "recommend",
            "score": 0.0,
            "scale_min": 0.0,
            "scale_max": 1.0,
            "feedback_id": "3",
            "text": "Źle",
        },
    }
    assert {event.sender for event in shop.ingest.events()} == {"shop"}


@pytest.mark.parametrize("language", ["pl", "en"])
async def test_the_example_that_is_offered_can_be_loaded(shop: Shop, language: str) -> None:
    response = await shop.get(f"{ROOT}/example.csv", params={"lang": language})
    assert response.content == example(language)
    assert "attachment" in response.headers["content-disposition"]
    path = await shop.sent(response.content)
    assert "Loaded" in await shop.imported(path)
    (fact,) = facts(shop).values()
    assert (fact["metric"], fact["score"], fact["order_id"], fact["channel"]) == ("nps", 9.0, "4711", "email")


async def test_a_workbook(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "rows.xlsx"

    def fill(sheet: Worksheet) -> None:
        sheet.append(["id", "date", "metric", "score"])
        sheet.append(["a", "2026-11-19", "csat", 4])

    workbooks.write(file, fill)
    path = await shop.sent(file.read_bytes(), "rows.xlsx")
    assert "XLSX" in await shop.page(path)
    assert "Loaded" in await shop.imported(path)
    assert facts(shop)["a"]["score"] == 4.0


async def test_a_document_of_ones_own_and_what_it_rejects(shop: Shop) -> None:
    rows = b"id,stars,text\n1,5,ok\n2,nine,=1+1\n3,7,too many\n4,1,bad\n"
    path = await shop.sent(rows, yaml=MAPPING.encode())
    page = await shop.page(path)
    assert "2 data.score" in page
    assert "7 is above scale_max 5" in page
    done = await shop.imported(path)
    assert "to load 4 accepted 2 rejected 2" in done
    assert "Some rows were rejected" in done
    assert sorted(facts(shop)) == ["1", "4"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in shop.folder(path).iterdir()} == {0o600}
    errors = await shop.get(f"{path}/errors.csv")
    assert errors.headers["content-type"] == "text/csv; charset=utf-8"
    lines = errors.content.decode("utf-8-sig").splitlines()
    assert [line.split(";")[0] for line in lines] == ['"row"', '"2"', '"3"']


async def test_the_same_file_twice_and_by_the_command_is_the_same_facts(shop: Shop, tmp_path: Path) -> None:
    for _ in range(2):
        await shop.imported(await shop.sent(b"id,stars,text\n1,5,ok\n", document="own", yaml=MAPPING.encode()))
    file, mapping = tmp_path / "rows.csv", tmp_path / "own.yaml"
    file.write_bytes(b"id,stars,text\n1,5,ok\n")
    mapping.write_text(MAPPING)
    assert await asyncio.to_thread(command, file, mapping, shop.url, shop.key, True) == 0
    first, *others = shop.ingest.events()
    assert len(others) == 2
    assert {(event.factid, bytes(event.data)) for event in others} == {(first.factid, bytes(first.data))}


async def test_nothing_of_a_file_stays_once_it_is_loaded(shop: Shop) -> None:
    path = await shop.sent(ROWS.encode())
    folder = shop.folder(path)
    kept = [shop.data / "uploads", folder, *folder.iterdir()]
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept if one.is_dir()} == {0o700}
    assert {stat.S_IMODE(one.stat().st_mode) for one in kept if one.is_file()} == {0o600}
    await shop.imported(path)
    assert not [one for one in folder.iterdir() if b"Szybko" in one.read_bytes()]
    assert "rows.csv" in await shop.page(ROOT)
    assert (await shop.post(f"{path}/drop")).status_code == 303
    assert not folder.exists()
    assert (await shop.get(path)).status_code == 404
