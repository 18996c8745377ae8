"""Where a file can be read in two ways, or not yet, the page says so, and takes the answer instead of guessing."""

from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.ingest.uploads.shop import ANSWERS, MAPPING, ROOT, Shop

SHORT = (ANSWERS + "1;;nps;9;Źle\r\n").encode("cp1250")


async def test_an_encoding_that_the_bytes_do_not_tell(shop: Shop) -> None:
    path = await shop.sent(SHORT)
    page = await shop.page(path)
    assert "The bytes alone do not tell the encoding of this file" in page
    assert "line 2, column 10 holds the byte 0x8F" in page
    await shop.post(f"{path}/start")
    assert "cannot be read yet" in await shop.page(path)
    changed = await shop.post(f"{path}/settings", files={}, data={"document": "answers", "encoding": "cp1250"})
    assert changed.status_code == 303
    assert "Źle" in await shop.page(path)
    await shop.imported(path)
    assert '"text":"Źle"' in bytes(shop.ingest.events()[0].data).decode()


async def test_a_named_encoding_that_the_bytes_contradict(shop: Shop) -> None:
    path = await shop.sent((ANSWERS + "1;;nps;9;Źle\r\n").encode(), encoding="cp1250")
    assert "its bytes are utf-8" in await shop.page(path)


async def test_a_delimiter_that_may_be_one_of_two(shop: Shop) -> None:
    path = await shop.sent(b"id,a;metric\n1,2;3\n")
    assert "It is not clear what separates the columns" in await shop.page(path)
    path = await shop.sent(b"id,a;metric\n1,2;3\n", delimiter="semicolon")
    assert "delimiter: semicolon ;" in await shop.page(path)


async def test_a_sheet_of_several(shop: Shop, tmp_path: Path) -> None:
    workbook = Workbook()
    for name in ("Styczeń", "Luty"):
        workbook.create_sheet(name).append(["id", "metric"])
    workbook.save(tmp_path / "b.xlsx")
    path = await shop.sent((tmp_path / "b.xlsx").read_bytes())
    page = await shop.page(path)
    assert "It is not clear which sheet is meant" in page
    assert "Sheets: Styczeń, Luty." in page
    await shop.post(f"{path}/settings", data={"document": "answers", "sheet": "Luty"})
    assert "sheet “Luty”" in await shop.page(path)


@pytest.mark.parametrize(
    ("document", "said", "detail"),
    [
        (MAPPING.replace("number(", "nummer("), "There is a mistake in the document", "line 5"),
        (MAPPING.replace("emit:", "emits:"), "There is a mistake in the document", "line 3"),
        ("a: [", "The document is not valid YAML", "line 1: not YAML"),
        ("# later", "There is nothing in the document", "line 1: the mapping is empty"),
    ],
)
async def test_a_mistake_of_the_document_by_its_line(shop: Shop, document: str, said: str, detail: str) -> None:
    path = await shop.sent(b"id,stars,text\n1,5,ok\n", document="own", yaml=document.encode())
    page = await shop.page(path)
    assert said in page
    assert detail in page
    await shop.post(f"{path}/settings", data={"document": "own", "yaml": MAPPING})
    assert "The whole file rows 1 give events 1" in await shop.page(path)


async def test_rows_that_would_count_once_are_told(shop: Shop) -> None:
    path = await shop.sent(b"id,stars,text\n1,5,ok\n1,4,other\n2,3,\n", yaml=MAPPING.encode())
    assert "The same id as in an earlier row: 1 event. Of each, one counts." in await shop.page(path)


async def test_a_document_that_knows_none_of_the_columns_is_told(shop: Shop) -> None:
    when = MAPPING.replace("  - emit", "  - when: nothing\n    emit")
    path = await shop.sent(b"id,stars,text\n1,5,ok\n", yaml=when.encode())
    assert "These rows make no event" in await shop.page(path)


async def test_of_a_long_file_the_first_thousand_rows_are_looked_at(shop: Shop) -> None:
    rows = "".join(f"{number},5,\n" for number in range(1, 1_201))
    path = await shop.sent(f"id,stars,text\n{rows}".encode(), yaml=MAPPING.encode())
    page = await shop.page(path)
    assert "The first 1,000 rows rows 1,000 give events 1,000" in page
    assert "1,200 rows, ignored: 0" in await shop.imported(path)


@pytest.mark.parametrize(
    ("content", "fields", "said"),
    [
        (b"", {}, "This file is empty"),
        (b"\x1f\x8b\x08\x00", {}, "This is a gzip archive"),
        (b"id\n1\n", {"document": "own", "yaml": " "}, "Your own document is empty"),
        (b"id\n1\n", {"document": "source:nobody"}, "This document is not there any more"),
    ],
)
async def test_what_is_refused_at_once(shop: Shop, content: bytes, fields: dict[str, str], said: str) -> None:
    response = await shop.post(
        f"{ROOT}?lang=en", files={"file": ("a.csv", content)}, data={"document": "answers", **fields}
    )
    assert response.status_code == 422
    assert said in response.text
    assert not (shop.data / "uploads").exists()


async def test_a_form_without_a_file(shop: Shop) -> None:
    response = await shop.post(f"{ROOT}?lang=en", files={"file": ("", b"")}, data={"document": "answers"})
    assert response.status_code == 422
    assert "Choose a file." in response.text
    broken = await shop.post(f"{ROOT}?lang=en", content=b"--x", headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == 400
    assert "did not reach us" in broken.text


async def test_a_source_that_was_added_here_maps_files_too(shop: Shop) -> None:
    from tests.ingest.webhooks.doors import REPAIRS

    admin = await shop.ingest.new_key("shop", "admin")
    added = await shop.ingest.request(
        "POST", "/v1/sources", json={"name": "repairs", "document": REPAIRS, "secret": "s" * 40},
        headers={"Authorization": f"Bearer {admin}"},
    )  # fmt: skip
    assert added.status_code == 201, added.text
    assert "The document of the source repairs" in await shop.page(ROOT)
    path = await shop.sent(b'{"event": "repair.opened"}\n', "rows.jsonl", document="source:repairs")
    assert "JSON lines" in await shop.page(path)


async def test_where_nothing_would_come_of_it_loading_is_not_offered(shop: Shop) -> None:
    path = await shop.sent(b"id;data;ocena\n1;2026-11-20;3\n")
    page = await shop.page(path)
    assert "These rows make no event." in page
    assert "Load 1" not in page
    assert "Remove the file" in page
