"""Sources as their owner meets them: in a browser, with and without scripts, on a phone, by keyboard, in the dark."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import httpx
import pytest

from services.dispatch import Dispatch
from services.scoring.app import ScoringService
from services.scoring.app import build as build_scoring
from services.scoring.settings import ScoringSettings
from shared.service import Service
from tests.browser import is_wider_than_the_screen, serving, shoot, violations, visit
from tests.conftest import MakeDatabase
from tests.ingest.webhooks.doors import BODY, REPAIRS, SECRET, Doors

WORDS = {
    "pl": {"sources": "Źródła", "try": "Na sucho", "title": "Próba na sucho", "failing": "odrzuca", "none": "cisza"},
    "en": {"sources": "Sources", "try": "Dry run", "title": "Dry run", "failing": "failing", "none": "silent"},
}
SCREENS: list[tuple[str, int, Literal["light", "dark"]]] = [
    ("pl", 320, "light"), ("pl", 1280, "light"), ("en", 320, "dark"), ("en", 1280, "dark"),
]  # fmt: skip


class Shop:
    def __init__(self, doors: Doors, scoring: ScoringService, url: str, key: str) -> None:
        self.doors = doors
        self.url = url
        self.key = key
        self._scoring = scoring

    async def read(self) -> None:
        idle = 0
        while idle < 2:
            idle = 0 if await self._scoring.run_once() else idle + 1

    async def deliver(self, body: Mapping[str, Any], secret: str = SECRET, source: str = "repairs") -> None:
        self.doors.clock.advance(1)
        await self.doors.deliver(body, secret=secret, source=source)


@pytest.fixture
async def shop(database: MakeDatabase) -> AsyncIterator[Shop]:
    doors = Doors({f"PETLA_SOURCE_{name}_SECRET": SECRET for name in ("REPAIRS", "COUNTER")})
    await doors.start()
    settings = ScoringSettings()
    scoring = build_scoring(settings, doors.log, doors.config, await database("scoring"), doors.clock, doors.sealing)
    await doors.add("repairs")
    await doors.add("counter", REPAIRS.replace("source: repairs", "source: counter"))
    await doors.add("survey", REPAIRS.replace("source: repairs", "source: survey"))
    services: dict[str, Service] = {"ingest": doors.service, "scoring": scoring}
    async with serving(Dispatch(services)) as url:
        yield Shop(doors, scoring, url, await doors.new_key("ops", "admin"))
    await scoring.worker.stop()
    await doors.stop()


async def fill(shop: Shop) -> None:
    """Every outcome there is, and a source that works."""
    await shop.deliver(BODY)
    await shop.deliver(BODY)  # redelivered
    await shop.deliver(BODY | {"answers": [{"question": "q1", "stars": 4}]})  # other content, the same time of change
    await shop.deliver(BODY | {"event": "repair.opened"})
    await shop.deliver(BODY | {"internal": True})
    await shop.deliver(BODY | {"changed": "2026-11-20T10:05:00+01:00", "answers": [{"question": "q3", "stars": 9}]})
    await shop.deliver(
        BODY | {"changed": "2026-11-20T10:06:00+01:00",
                "answers": [{"question": "q4", "stars": 9}, {"question": "q5", "stars": 3}]}
    )  # fmt: skip
    await shop.deliver(BODY, secret="of a stranger")
    for number in range(30):
        await shop.deliver(BODY | {"changed": f"2026-11-20T11:{number:02}:00+01:00"}, source="counter")
    await shop.read()


@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("javascript", [True, False])
async def test_from_the_overview_to_a_dry_run_and_back(
    chromium: Any, shop: Shop, language: str, javascript: bool
) -> None:
    await fill(shop)
    words = WORDS[language]
    before = len(shop.doors.raw()), len(shop.doors.events())
    async with visit(chromium, javascript=javascript, width=1280, key=shop.key) as page:
        await page.goto(f"{shop.url}/?lang={language}")
        await page.get_by_role("link", name=words["sources"]).click()
        assert await page.locator("h1").inner_text() == words["sources"]
        row = page.get_by_role("row", name="repairs")
        cells = [text.strip() for text in await row.get_by_role("cell").all_inner_texts()]
        assert cells[1:7] == ["8", "2", "1", "1", "2", "2"]
        assert cells[0] == words["failing"]
        await page.get_by_role("button", name=words["try"]).last.click()
        assert await page.locator("h1").inner_text() == words["title"]
        assert '"feedback.received.v1"' in await page.locator("pre").first.inner_text()
        await page.get_by_role("link", name=words["sources"]).click()
        assert await page.locator("h2#one").inner_text() == "repairs"
        await page.get_by_role("link", name="counter").click()
        assert await page.locator("h2#one").inner_text() == "counter"
        assert await page.locator("html").get_attribute("lang") == language
    assert (len(shop.doors.raw()), len(shop.doors.events())) == before


@pytest.mark.parametrize(("language", "width", "theme"), SCREENS)
async def test_on_every_screen(
    chromium: Any, shop: Shop, language: str, width: int, theme: Literal["light", "dark"]
) -> None:
    await fill(shop)
    async with visit(chromium, width=width, theme=theme, key=shop.key) as page:
        for name, path in (("sources", f"/sources?lang={language}"), ("overview", f"/?lang={language}")):
            await page.goto(shop.url + path)
            await shoot(page, f"{name}-{language}-{width}-{theme}")
            assert not await is_wider_than_the_screen(page)
            assert await violations(page) == []
        await page.goto(f"{shop.url}/sources?source=repairs&lang={language}")
        tries = page.get_by_role("button", name=WORDS[language]["try"])
        for number in (0, await tries.count() - 1):
            await tries.nth(number).click()
            await shoot(page, f"trial-{number}-{language}-{width}-{theme}")
            assert not await is_wider_than_the_screen(page)
            assert await violations(page) == []
            await page.go_back()


async def test_by_keyboard_alone(chromium: Any, shop: Shop) -> None:
    await fill(shop)
    async with visit(chromium, width=1280, key=shop.key) as page:
        await page.goto(f"{shop.url}/sources?lang=pl")
        await page.keyboard.press("Tab")
        assert await page.locator(":focus").inner_text() == "Przejdź do treści"
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await page.locator(":focus").evaluate("element => element.tagName") == "BUTTON":
                break
        await page.keyboard.press("Enter")
        await page.locator("h1", has_text="Próba na sucho").wait_for()


async def test_before_the_first_delivery(chromium: Any, shop: Shop) -> None:
    await shop.read()
    async with visit(chromium, width=900, key=shop.key) as page:
        await page.goto(f"{shop.url}/sources?lang=pl")
        assert await page.get_by_role("cell", name="czeka").count() == 3
        assert "/webhooks/counter" in await page.locator(".note").inner_text()
        assert await violations(page) == []
        await shoot(page, "sources-waiting")


async def test_a_reader_without_a_key_sees_nothing(shop: Shop) -> None:
    async with httpx.AsyncClient(base_url=shop.url) as client:
        refused = await client.get("/sources", headers={"Accept": "text/html"})
        assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic")
        sender = (shop.doors.key, "")
        assert (await client.get("/sources", auth=sender[::-1])).status_code == 403
        unknown = await client.get("/sources?source=nobody", auth=("", shop.key))
        assert unknown.status_code == 200
