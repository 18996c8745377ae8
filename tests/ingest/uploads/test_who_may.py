"""Who may load a file: a key that may send events, from Pętla's own pages, and only its own source's files."""

import pytest

from tests.ingest.running import RunningIngest, assert_problem
from tests.ingest.uploads.shop import ANSWERS, ROOT, Shop

ROW = (ANSWERS + "1;;nps;9;\r\n").encode()
PATHS = [("GET", ""), ("POST", ""), ("GET", "/{id}"), ("GET", "/{id}/errors.csv"), ("POST", "/{id}/settings"),
         ("POST", "/{id}/start"), ("POST", "/{id}/drop")]  # fmt: skip
ID = "x" * 22


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_a_reader_without_a_key_is_asked_for_one(ingest: RunningIngest, method: str, path: str) -> None:
    address = ROOT + path.format(id=ID)
    assert_problem(await ingest.request(method, address), 401, "no_key")
    asked = await ingest.request(method, address, headers={"Accept": "text/html"})
    assert asked.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_a_key_that_only_looks_is_told_which_one_it_takes(ingest: RunningIngest, method: str, path: str) -> None:
    reader = await ingest.new_key("shop", "metrics:read")
    headers = {"Authorization": f"Bearer {reader}", "Accept": "text/html"}
    refused = await ingest.request(method, ROOT + path.format(id=ID), headers=headers)
    assert refused.status_code == 403
    assert "petla keys create --source shop --scope events:write" in refused.text


async def test_another_key_is_asked_for_until_another_comes(shop: Shop) -> None:
    shop.key = await shop.ingest.new_key("other", "events:write")
    same = await shop.get(f"{ROOT}/key", params={"other": "other"})
    assert (same.status_code, same.headers["www-authenticate"][:5]) == (401, "Basic")
    other = await shop.get(f"{ROOT}/key", params={"other": "shop"})
    assert (other.status_code, other.headers["location"]) == (303, f"{ROOT}?lang=pl")


async def test_files_are_those_of_a_source(shop: Shop) -> None:
    path = await shop.sent(ROW)
    shop.key = await shop.ingest.new_key("other", "admin")
    assert (await shop.get(path)).status_code == 404
    for action in ("settings", "start", "drop"):
        assert (await shop.post(f"{path}/{action}")).status_code == 404
    assert "rows.csv" not in await shop.page(ROOT)
    shop.key = await shop.ingest.new_key("shop", "events:write")
    assert "Preview" in await shop.page(path)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_a_page_of_elsewhere_cannot_make_a_browser_do_it(shop: Shop, headers: dict[str, str]) -> None:
    path = await shop.sent(ROW)
    for target in ("", *(f"/{path.rsplit('/', 1)[1]}/{action}" for action in ("settings", "start", "drop"))):
        refused = await shop.post(ROOT + target, files={"file": ("a.csv", ROW)}, headers=headers)
        assert_problem(refused, 403, "other_page")
    assert len(list((shop.data / "uploads").glob("*/content"))) == 1


async def test_the_browsers_word_for_its_own_page_is_taken(shop: Shop) -> None:
    data = {"document": "answers"}
    own = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert (await shop.post(files={"file": ("a.csv", ROW)}, data=data, headers=own)).status_code == 303


async def test_a_program_with_its_key_is_nobodys_page(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.key}"}
    sent = await shop.ingest.request(
        "POST", ROOT, files={"file": ("a.csv", ROW)}, data={"document": "answers"}, headers=headers
    )
    assert sent.status_code == 303


@pytest.mark.parametrize("id_", ["%2e%2e", "a", "x" * 22, ".new-x", "guard.lock", "%00" * 22])
async def test_what_is_no_upload_is_not_here(shop: Shop, id_: str) -> None:
    await shop.sent(ROW)
    assert (await shop.get(f"{ROOT}/{id_}")).status_code == 404
    assert (await shop.post(f"{ROOT}/{id_}/drop")).status_code == 404
    assert len(list((shop.data / "uploads").glob("*/content"))) == 1


async def test_the_key_is_never_written_down(shop: Shop) -> None:
    path = await shop.sent(ROW)
    await shop.imported(path)
    secret = shop.key.encode()
    assert not [file for file in shop.data.rglob("*") if file.is_file() and secret in file.read_bytes()]
