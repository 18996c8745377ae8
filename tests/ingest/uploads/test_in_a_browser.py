"""A file from a page as a shop's person meets it: with and without scripts, on a phone, by keyboard, in the dark."""

from pathlib import Path
from typing import Any, Literal

import pytest

from tests.browser import is_wider_than_the_screen, shoot, violations, visit
from tests.ingest.uploads.shop import ANSWERS, MAPPING, ROOT, Shop

WORDS: dict[str, dict[str, str]] = {
    "pl": {"file": "Plik", "look": "Pokaż podgląd", "preview": "Podgląd", "load": "Wczytaj 5", "done": "Wczytane",
           "errors": "Pobierz odrzucone", "another": "Wczytaj następny plik",
           "problem": "Tego pliku nie da się",
           "encoding": "Kodowanie", "again": "Pokaż podgląd jeszcze raz"},
    "en": {"file": "File", "look": "Show a preview", "preview": "Preview", "load": "Load 5", "done": "Loaded",
           "errors": "Download what was rejected", "another": "Load another file",
           "problem": "This file cannot be read",
           "encoding": "Encoding", "again": "Show the preview again"},
}  # fmt: skip
ROWS = ANSWERS + "\r\n".join(
    (
        "Z-1;19.11.2026 14:05;nps;9;Szybka dostawa, dobrze zapakowane",
        "Z-2;19.11.2026 15:40;nps;3;Kurier nie zadzwonił",
        "Z-3;18 listopada 2026;gwiazdki;4,5;",
        "Z-4;19.11.2026 9:00;nps;11;Ocena poza skalą",
        "Z-5;19.11.2026 10:00;polecenie;może;",
        "",
    )
)
SCREENS: list[tuple[str, int, Literal["light", "dark"]]] = [
    ("pl", 320, "light"), ("pl", 1280, "light"), ("en", 320, "dark"), ("en", 1280, "dark"),
]  # fmt: skip


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "odpowiedzi z ankiety.csv"
    file.write_bytes(ROWS.encode())
    return file


async def look_right(page: Any, name: str) -> None:
    await shoot(page, name)
    assert not await is_wider_than_the_screen(page)
    assert await violations(page) == []


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("language", ["pl", "en"])
async def test_from_the_file_to_the_errors(
    chromium: Any, shop: Shop, rows: Path, language: str, javascript: bool
) -> None:
    words = WORDS[language]
    async with visit(chromium, javascript=javascript, width=1280, key=shop.key) as page:
        await page.goto(f"{shop.url}{ROOT}?lang={language}")
        await page.get_by_label(words["file"], exact=True).set_input_files(rows)
        await page.get_by_role("button", name=words["look"]).click()
        assert await page.locator("h1").inner_text() == words["preview"]
        assert await page.locator("article").count() == 5
        assert shop.ingest.events() == []
        address = page.url
        await page.get_by_role("button", name=words["load"]).click()
        await page.locator("h1", has_text=words["done"]).wait_for(timeout=30_000)
        assert page.url == address
        async with page.expect_download() as download:
            await page.get_by_role("link", name=words["errors"]).click()
        errors = contents(await (await download.value).path())
        assert errors.decode("utf-8-sig").count("\r\n") == 3
        assert sorted(event.id for event in shop.ingest.events()) == ["Z-1", "Z-2", "Z-3"]
        await page.get_by_role("link", name=words["another"]).click()
        assert await page.get_by_role("link", name=rows.name).count() == 1
        assert await page.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize(("language", "width", "theme"), SCREENS)
async def test_on_every_screen(
    chromium: Any, shop: Shop, rows: Path, tmp_path: Path, language: str, width: int, theme: Literal["light", "dark"]
) -> None:
    words, name = WORDS[language], f"{language}-{width}-{theme}"
    short = tmp_path / "krótki.csv"
    short.write_bytes((ANSWERS + "1;;nps;9;Świetnie\r\n").encode("cp1250"))
    async with visit(chromium, width=width, theme=theme, key=shop.key) as page:
        await page.goto(f"{shop.url}{ROOT}?lang={language}")
        await look_right(page, f"upload-start-{name}")
        await page.get_by_label(words["file"], exact=True).set_input_files(short)
        await page.get_by_role("button", name=words["look"]).click()
        assert words["problem"] in await page.locator("h1").inner_text()
        await look_right(page, f"upload-asks-{name}")
        await page.get_by_label(words["encoding"]).select_option("cp1250")
        await page.get_by_role("button", name=words["again"]).click()
        assert "Świetnie" in await page.locator("article").inner_text()
        await page.goto(f"{shop.url}{ROOT}?lang={language}")
        await page.get_by_label(words["file"], exact=True).set_input_files(rows)
        await page.get_by_role("button", name=words["look"]).click()
        await look_right(page, f"upload-preview-{name}")
        await page.get_by_role("button", name=words["load"]).click()
        await shoot(page, f"upload-running-{name}")
        await page.locator("h1", has_text=words["done"]).wait_for(timeout=30_000)
        await look_right(page, f"upload-done-{name}")
        await page.goto(f"{shop.url}{ROOT}?lang={language}")
        await look_right(page, f"upload-earlier-{name}")
        await page.goto(f"{shop.url}{ROOT}/{'x' * 22}?lang={language}")
        await look_right(page, f"upload-gone-{name}")


async def test_by_keyboard_alone(chromium: Any, shop: Shop, rows: Path) -> None:
    await shop.sent(contents(rows))
    async with visit(chromium, width=1280, key=shop.key) as page:
        await page.goto(f"{shop.url}{ROOT}?lang=pl")
        await page.keyboard.press("Tab")
        assert await page.locator(":focus").inner_text() == "Przejdź do treści"
        await tab_to(page, "rows.csv")
        await page.keyboard.press("Enter")
        await page.locator("h1", has_text="Podgląd").wait_for()
        await tab_to(page, "Wczytaj 5")
        await page.keyboard.press("Enter")
        await page.locator("h1", has_text="Wczytane").wait_for(timeout=30_000)
        assert await page.locator("h1").evaluate("element => element === document.activeElement")


def opinions(folder: Path) -> Path:
    file = folder / "opinions.csv"
    file.write_text("id,stars,text\n1,5,ok\n")
    return file


def rest_of(shop: Shop) -> list[Path]:
    return list((shop.data / "uploads").glob("*"))


def contents(path: str | Path) -> bytes:
    return Path(path).read_bytes()


async def tab_to(page: Any, text: str) -> None:
    for _ in range(40):
        await page.keyboard.press("Tab")
        if (await page.locator(":focus").inner_text()).startswith(text):
            return
    raise AssertionError(f"no {text} by Tab")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.csv"
    file.write_bytes(bytes(21 * 1024 * 1024))
    return file


async def test_a_file_that_is_too_large_is_told_before_it_is_sent(chromium: Any, shop: Shop, large: Path) -> None:
    async with visit(chromium, key=shop.key) as page:
        await page.goto(f"{shop.url}{ROOT}?lang=pl")
        await page.get_by_label("Plik", exact=True).set_input_files(large)
        assert "więcej niż 20 MB" in (await page.locator("#file-error").inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        await page.get_by_role("button", name="Pokaż podgląd").click()
        assert await page.locator("h1").inner_text() == "Wczytaj plik"
    assert rest_of(shop) == []


async def test_a_document_of_ones_own_is_mended_on_the_page(chromium: Any, shop: Shop, tmp_path: Path) -> None:
    file = opinions(tmp_path)
    async with visit(chromium, key=shop.key) as page:
        await page.goto(f"{shop.url}{ROOT}?lang=pl")
        await page.get_by_label("Plik", exact=True).set_input_files(file)
        await page.get_by_text("Dokument z pliku").click()
        await page.locator("#yaml").fill(MAPPING.replace("number(stars)", "nummer(stars)"))
        await page.get_by_role("button", name="Pokaż podgląd").click()
        assert "line 5" in await page.get_by_role("alert").inner_text()
        await page.locator("#yaml").fill(MAPPING)
        await page.get_by_role("button", name="Pokaż podgląd jeszcze raz").click()
        assert await page.locator(".event dd").all_inner_texts() == ["rating", "5", "ok"]
