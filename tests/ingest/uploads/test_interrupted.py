"""What was interrupted says so and can go on; what lies here too long, or may name an erased person, goes."""

import asyncio
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.ingest.uploads import children
from services.ingest.uploads.folder import Busy, Uploads
from services.ingest.uploads.kept import Choice, Facts
from shared.erasure.names import Names
from shared.erasure.requests import Requests
from tests.ingest.running import ARRIVAL, RunningIngest
from tests.ingest.uploads.shop import ANSWERS, MAPPING, ROOT, Shop, shop_at

MANY = ("id,stars,text\n" + "".join(f"{number},5,\n" for number in range(1, 2_001))).encode()


async def begun(shop: Shop) -> str:
    """An import that the log's absence holds up after it began."""
    path = await shop.sent(MANY, yaml=MAPPING.encode())
    shop.ingest.log.unavailable = "away"
    assert (await shop.post(f"{path}/start")).status_code == 303
    assert "Loading" in await shop.page(path)
    return path


async def child_of(shop: Shop, path: str) -> int:
    """The process that imports, once there is one."""
    folder = str(shop.folder(path)).encode()
    while True:
        for entry in await asyncio.to_thread(lambda: list(Path("/proc").glob("[0-9]*/cmdline"))):
            try:
                words = entry.read_bytes().split(b"\0")
            except OSError:
                continue
            if folder in words and b"run" in words:
                return int(entry.parent.name)


async def test_a_process_that_is_killed_leaves_what_can_go_on(shop: Shop) -> None:
    path = await begun(shop)
    os.kill(await child_of(shop, path), signal.SIGKILL)
    page = await shop.ended(path)
    assert "Loading was interrupted" in page
    assert "The server stopped while it was loading." in page
    shop.ingest.log.unavailable = None
    assert "2,000 rows, ignored: 0" in await shop.imported(path)
    assert len({event.factid for event in shop.ingest.events()}) == 2_000


@pytest.fixture
def in_the_background() -> Iterator[None]:
    """As a shell runs what ends in `&`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("in_the_background")
async def test_a_server_that_is_stopped_leaves_what_another_goes_on_from(tmp_path: Path) -> None:
    async with shop_at(tmp_path) as shop:
        path = await begun(shop)
        await child_of(shop, path)
    again = RunningIngest(data=tmp_path)
    async with shop_at(tmp_path, again) as shop:
        page = await shop.ended(path)
        assert "Loading was interrupted" in page
        assert "Serwer wyłączył się w trakcie wczytywania." in await shop.page(path, "pl")
        assert "2,000 rows" in await shop.imported(path)
        assert len({event.factid for event in again.events()}) == 2_000


async def test_twice_begun_is_once_and_others_take_turns(shop: Shop) -> None:
    path, other = await begun(shop), await shop.sent(MANY, yaml=MAPPING.encode())
    assert (await shop.post(f"{path}/start")).status_code == 303
    busy = await shop.post(f"{other}/start?lang=en")
    assert busy.status_code == 409
    assert "Another file is being loaded" in busy.text
    assert (await shop.post(f"{path}/drop")).status_code == 303
    assert shop.folder(path).exists()
    shop.ingest.log.unavailable = None
    assert "Loaded" in await shop.ended(path)
    assert len(shop.ingest.events()) == 2_000
    assert "Loaded" in await shop.imported(other)


async def test_a_process_that_shares_the_folder_tells_the_same(shop: Shop, tmp_path: Path) -> None:
    path = await begun(shop)
    beside = Uploads(tmp_path / "uploads")
    found = beside.find(path.rsplit("/", 1)[1], "shop")
    assert found is not None
    assert found.stage == "running"
    with pytest.raises(Busy) as busy:
        beside.begin(found.id)
    assert busy.value.same
    shop.ingest.log.unavailable = None
    await shop.ended(path)
    found = beside.find(found.id, "shop")
    assert found is not None
    assert found.stage == "done"


async def test_where_a_process_has_another_folder_the_page_says_what_to_do(shop: Shop, tmp_path: Path) -> None:
    path = await shop.sent(MANY, yaml=MAPPING.encode())
    async with shop_at(tmp_path / "another") as other:
        shop.url, shop.key = other.url, other.key
        gone = await shop.get(path, params={"lang": "en"})
    assert gone.status_code == 404
    assert "it may lie on another" in gone.text
    assert "nothing counts a second time" in gone.text


def kept(uploads: Uploads, age: timedelta) -> str:
    facts = Facts("a.csv", 1, "shop", ARRIVAL - age, Choice("answers"))
    with Path(os.devnull).open("rb") as empty:
        return uploads.add(facts, empty, "")


def test_after_a_day_it_is_gone(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    assert uploads.sweep(ARRIVAL, None) == 0
    old, young = kept(uploads, timedelta(hours=25)), kept(uploads, timedelta(hours=23))
    half = tmp_path / "uploads" / ".new-half"
    half.mkdir()
    os.utime(half, (0, 0))
    assert uploads.sweep(ARRIVAL, None) == 1
    assert (uploads.path(old).exists(), uploads.path(young).exists(), half.exists()) == (False, True, False)


def test_what_runs_is_not_swept(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    old = kept(uploads, timedelta(hours=25))
    locks = uploads.begin(old)
    assert uploads.sweep(ARRIVAL, ARRIVAL) == 0
    for lock in locks:
        os.close(lock)
    assert uploads.sweep(ARRIVAL, ARRIVAL) == 1


async def test_what_may_name_an_erased_person_goes(shop: Shop) -> None:
    path = await shop.sent((ANSWERS + "1;;nps;9;Anna Kowalska\r\n").encode())
    requests = Requests(shop.ingest.config, Names(shop.ingest.sealing))
    await requests.ask("anna", shop.ingest.clock.now())
    service = shop.ingest.service
    await service._sweeping._run_once()  # type: ignore[attr-defined]
    assert not shop.folder(path).exists()
    assert (await shop.get(path)).status_code == 404


async def test_a_folder_that_is_full_takes_no_more(shop: Shop) -> None:
    row = (ANSWERS + "1;;nps;9;\r\n").encode()
    first = await shop.sent(row)
    uploads = Uploads(shop.data / "uploads")
    for _ in range(19):
        kept(uploads, timedelta())
    full = await shop.send(row)
    assert full.status_code == 429
    assert "za dużo plików" in full.text
    await shop.post(f"{first}/drop")
    assert (await shop.send(row)).status_code == 303


async def test_a_body_beyond_the_cap_is_refused(shop: Shop) -> None:
    """The page tells it before; here somebody sends it all the same."""
    headers = {"Authorization": f"Bearer {shop.key}"}
    large = bytes(20 * 1024 * 1024 + 1)
    files = {"file": ("a.csv", large)}
    sent = await shop.ingest.request("POST", ROOT, files=files, data={"document": "answers"}, headers=headers)
    assert (sent.status_code, "więcej niż 20" in sent.text) == (413, True)
    files = {"file": ("a.csv", large + bytes(1024 * 1024))}
    sent = await shop.ingest.request("POST", ROOT, files=files, data={"document": "answers"}, headers=headers)
    assert (sent.status_code, "więcej niż 20" in sent.text) == (413, True)
    elsewhere = await shop.ingest.request("POST", f"{ROOT}/{'x' * 22}/settings", files=files, headers=headers)
    assert elsewhere.status_code in (404, 413)
    assert not (shop.data / "uploads").exists()


async def test_a_workbook_that_unpacks_to_gigabytes_costs_a_child_only(shop: Shop) -> None:
    from tests.ingest.imports.workbooks import packed, parts

    row = "<row>" + "<c><v>1</v></c>" * 1_000 + "</row>"
    path = await shop.sent(packed(parts(row * 5_000)), "bomb.xlsx")
    page = await shop.page(path)
    assert "This file cannot be read yet" in page
    assert (await shop.get(ROOT)).status_code == 200
    async with httpx.AsyncClient(base_url=shop.url, trust_env=False) as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_a_look_that_does_not_end_is_ended(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_LOOK_SECONDS", 0.0)
    path = await shop.sent((ANSWERS + "1;;nps;9;\r\n").encode())
    page = await shop.page(path)
    assert "takes more memory or time than a look at it may" in page
    await shop.post(f"{path}/start")
    assert "za dużo pamięci albo czasu. Podziel go" in await shop.page(path, "pl")
    assert shop.ingest.events() == []
