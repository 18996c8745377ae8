"""What is wrong with a file is said in the reader's language; the exact English stands below it, and is marked so."""

import ast
import asyncio
import gzip
from pathlib import Path

import pytest
from openpyxl import Workbook

from services.ingest.imports.opening import open_source
from services.ingest.imports.rows import FileError
from services.ingest.mapping import Format
from services.ingest.uploads import english, polish
from services.ingest.uploads.child import import_file
from services.ingest.uploads.own import Own
from services.ingest.uploads.wording import wording
from tests.ingest.imports.workbooks import packed, parts, text
from tests.ingest.uploads.shop import ANSWERS, MAPPING, Shop

FOLDERS = ("imports", "mapping", "uploads")
FAULTS = {"FileError", "EncodingError", "DelimiterError"}
ROW = "1;;nps;9;"
TWICE = f'<row r="1">{text("A1", "Numer")}{text("B1", "Numer")}</row>'
UNCOMPUTED = f'<row r="1">{text("A1", "Numer")}</row><row r="2"><c r="A2"><f>1+1</f></c></row>'


def nodes() -> list[ast.AST]:
    files = (path for folder in FOLDERS for path in Path("services/ingest", folder).glob("*.py"))
    return [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]


def codes_in_use() -> set[str]:
    """Every `code="..."` that is handed on, and what stands where none is."""
    found = set()
    for node in nodes():
        if isinstance(node, ast.keyword) and node.arg == "code":
            found.add(node.value)
        elif isinstance(node, ast.FunctionDef):
            defaults = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            found.update(default for argument, default in defaults if argument.arg == "code" and default)
    return {code.value for code in found if isinstance(code, ast.Constant) and isinstance(code.value, str)}


@pytest.mark.parametrize("texts", [polish.TEXTS, english.TEXTS])
def test_every_fault_has_words_and_no_words_are_left_over(texts: dict[str, str]) -> None:
    codes = codes_in_use()
    assert {"empty", "encoding", "unreachable", "interrupted", "document", "other"} <= codes
    assert {key.removeprefix("fault.") for key in texts if key.startswith("fault.")} == codes


def test_where_a_fault_of_a_file_is_raised_its_code_can_be_read() -> None:
    raised = [
        node
        for node in nodes()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAULTS
    ]
    assert len(raised) > 20
    for call in raised:
        assert any(word.arg == "code" and isinstance(word.value, ast.Constant) for word in call.keywords), call.lineno


def test_a_fault_that_is_newer_than_this_page() -> None:
    assert wording("pl").fault("newer") == wording("pl").fault(None) == "Nie udało się. Powód jest niżej, po angielsku."


@pytest.mark.parametrize(
    ("content", "said", "detail"),
    [
        (b"\r\n\r\n", "Nie ma tu danych.", "the file is empty"),
        (f'"{ANSWERS}{ROW}'.encode(), "Nie da się przeczytać wiersza z nazwami kolumn.", "not readable"),
        (b"id;id\n1;2\n", "Dwie kolumny nazywają się tak samo.", "'id' stands in the first line twice"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "To skoroszyt w starym formacie (.xls) albo z hasłem.", "before 2007"),
        (b"PK\x03\x04rest", "Ten plik jest uszkodzony.", "the workbook is damaged"),
        (packed({"a.txt": "a"}), "W tym archiwum nie ma skoroszytu Excela.", "the .zip holds no Excel workbook"),
        (packed(parts(TWICE)), "Dwie kolumny nazywają się tak samo.", "'Numer' stands in the first line twice"),
        (packed(parts(UNCOMPUTED)), "Formuła nie ma jeszcze wyniku.", "the formula in A2"),
        (packed(parts("")), "Każdy arkusz jest pusty albo ukryty.", "every sheet of the workbook is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d\xff\x00\x00", "To ani tekst, ani skoroszyt.", "holds zero bytes"),
        (b"id,a;metric\n1,2;3\n", "Nie wiadomo, co dzieli kolumny.", "';' or ','"),
        ((ANSWERS + "1;;nps;9;Źle\r\n").encode("cp1250"), "w jakim kodowaniu jest ten plik.", "the byte 0x8F"),
    ],
)
async def test_what_is_wrong_with_a_file_in_polish(shop: Shop, content: bytes, said: str, detail: str) -> None:
    page = await shop.page(await shop.sent(content), "pl")
    assert "Tego pliku nie da się jeszcze przeczytać" in page
    assert page.index(said) < page.index(detail)


async def test_the_detail_is_english_and_marked_so(shop: Shop) -> None:
    path = await shop.sent(b"\n\n")
    html = (await shop.get(path, params={"lang": "pl"})).text
    assert '<small lang="en">the file is empty: a CSV file begins with a line of column names</small>' in html


async def test_an_encoding_that_was_chosen_wrongly_can_be_chosen_again(shop: Shop) -> None:
    path = await shop.sent((ANSWERS + "1;;nps;9;Źle\r\n").encode(), encoding="cp1250")
    assert "Treść pliku nie zgadza się z podanym kodowaniem." in await shop.page(path, "pl")
    await shop.post(f"{path}/settings", data={"document": "answers", "encoding": "utf-8"})
    assert "Źle" in await shop.page(path, "pl")


async def test_a_sheet_is_chosen_in_polish(shop: Shop, tmp_path: Path) -> None:
    workbook = Workbook()
    for name in ("Styczeń", "Luty"):
        workbook.create_sheet(name).append(["id", "metric"])
    workbook.save(tmp_path / "b.xlsx")
    path = await shop.sent((tmp_path / "b.xlsx").read_bytes())
    page = await shop.page(path, "pl")
    assert "Nie wiadomo, o który arkusz chodzi. Wybierz go niżej." in page
    assert "Arkusze: Styczeń, Luty." in page
    await shop.post(f"{path}/settings", data={"document": "answers", "sheet": "Marzec"})
    assert "Nie ma tu arkusza o tej nazwie." in await shop.page(path, "pl")
    await shop.post(f"{path}/settings", data={"document": "answers", "sheet": "Luty"})
    assert "arkusz „Luty”" in await shop.page(path, "pl")


async def test_a_file_of_another_kind_than_the_document_says(shop: Shop) -> None:
    document = f"format: {{type: xlsx}}\n{MAPPING}".encode()
    path = await shop.sent(b"id,stars,text\n1,5,\n", yaml=document)
    assert "Dokument mówi o innym rodzaju pliku." in await shop.page(path, "pl")


@pytest.mark.parametrize(
    ("address", "said", "detail"),
    [
        (
            None,
            "Ten klucz już nie działa albo nie można nim wysyłać zdarzeń. Użyj innego.",
            "the key is not known (401)",
        ),
        ("http://127.0.0.1:1", "Serwer nie odpowiada. Spróbuj za chwilę.", "cannot be reached"),
    ],
)
async def test_why_an_import_ended_early_in_polish(shop: Shop, address: str | None, said: str, detail: str) -> None:
    path = await shop.sent((ANSWERS + ROW).encode())
    own = Own(shop.folder(path))
    own.ended(await asyncio.to_thread(import_file, own, address or shop.url, "petla_nobodys"))
    page = await shop.page(path, "pl")
    assert f"Nic nie zostało wysłane. {said} nothing was sent" in page
    assert detail in page


def test_a_file_that_is_damaged_in_the_middle_keeps_its_code(tmp_path: Path) -> None:
    with pytest.raises(FileError) as error, open_source(cut(tmp_path), Format()) as source:
        list(source.rows())
    assert error.value.code == "damaged"


def cut(folder: Path) -> Path:
    whole = gzip.compress("\n".join(["id", *(str(number * 7919) for number in range(3000))]).encode())
    (folder / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    return folder / "cut.csv.gz"
