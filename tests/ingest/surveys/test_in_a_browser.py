"""The survey as its customers meet it: in a browser, with and without scripts, on a phone, by keyboard, in the dark."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import is_wider_than_the_screen, serving, shoot, violations, visit
from tests.ingest.running import ARRIVAL, RunningIngest
from tests.ingest.surveys.asking import answers, link, newest

NOW = int(ARRIVAL.timestamp() * 1000)
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="9" fill="#2E5E3A"/></svg>'
)
WORDS = {
    "pl": {"send": "Wyślij odpowiedź", "comment": "Wyślij komentarz", "thanks": "Dziękujemy.", "change": "Zmień"},
    "en": {"send": "Send answer", "comment": "Send comment", "thanks": "Thank you.", "change": "Change"},
}
SCREENS = [("nps", 320, "light"), ("nps", 900, "dark")]
SCREENS += [
    (metric, *screen)
    for metric in ("nps", "csat", "ces", "rating", "recommend")
    for screen in ((320, "dark"), (900, "light"))
]
LONG = "Nieprawdopodobniedługisłowotwór" * 10


class Shop:
    """Its ingest, and the address where browsers find it."""

    def __init__(self, ingest: RunningIngest, url: str) -> None:
        self.ingest = ingest
        self._url = url

    async def link(self, **body: Any) -> str:
        return self._url + await link(self.ingest, **body)

    @property
    def scores(self) -> list[tuple[float, str | None]]:
        return [(data["score"], data.get("text")) for _, data in answers(self.ingest)]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    logo = tmp_path / "logo.svg"
    logo.write_text(LOGO)
    ingest = RunningIngest(
        brand_name="Olcha i Dąb",
        brand_colour="#2E5E3A",
        brand_logo=logo,
        privacy_url="https://example.com/privacy",
    )
    await ingest.start()
    async with serving(ingest.service.app) as url:
        yield Shop(ingest, url)
    await ingest.stop()


@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("javascript", [True, False])
async def test_one_tap_answers_and_a_comment_follows(
    chromium: Any, shop: Shop, language: str, javascript: bool
) -> None:
    async with visit(chromium, javascript=javascript) as page:
        await page.goto(await shop.link(language=language))
        await page.get_by_role("button", name="3", exact=True).click()
        await page.get_by_text(WORDS[language]["thanks"]).wait_for()
        assert shop.scores == [(3, None)]
        await page.get_by_role("textbox").fill("Za późno 😡\nI mokra")
        await page.get_by_role("button", name=WORDS[language]["comment"]).click()
        assert "Za późno 😡" in await page.locator("blockquote").inner_text()
    assert shop.scores == [(3, None), (3, "Za późno 😡\nI mokra")]
    (first, _), (second, _) = answers(shop.ingest)
    assert (first.factid, first.revision + 1) == (second.factid, second.revision)


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_changed_mind(chromium: Any, shop: Shop, javascript: bool) -> None:
    async with visit(chromium, javascript=javascript) as page:
        await page.goto(await shop.link())
        await page.get_by_role("button", name="9", exact=True).click()
        await page.get_by_role("textbox").fill("Dobrze")
        await page.locator("summary").click()
        await page.get_by_role("button", name="7", exact=True).click()
        assert "Twoja ocena: 7" in await page.locator("h1").inner_text()
        await page.locator("summary").click()
        assert await page.get_by_role("textbox").input_value() == "Dobrze"
    assert shop.scores == [(9, None), (7, "Dobrze")]


async def test_the_score_of_an_e_mail_is_sent_at_once(chromium: Any, shop: Shop) -> None:
    async with visit(chromium) as page:
        await page.goto(await shop.link() + "?score=3&utm_source=mail")
        await page.get_by_text("Twoja ocena: 3").wait_for()
    assert shop.scores == [(3, None)]


async def test_without_scripts_the_score_of_an_e_mail_waits_for_one_tap(chromium: Any, shop: Shop) -> None:
    async with visit(chromium, javascript=False) as page:
        await page.goto(await shop.link() + "?score=3")
        assert await page.get_by_role("button", name="3 (wybrane)").count() == 1
        assert shop.scores == []
        await page.get_by_role("button", name="Wyślij odpowiedź").click()
        assert "Twoja ocena: 3" in await page.locator("h1").inner_text()
    assert shop.scores == [(3, None)]


async def test_a_scanner_of_mail_that_runs_scripts_records_nothing(chromium: Any, shop: Shop) -> None:
    async with visit(chromium, person=False) as page:
        address = await shop.link()
        for score in (0, 3, 10):
            await page.goto(f"{address}?score={score}", wait_until="networkidle")
            assert await page.get_by_role("button", name="Wyślij odpowiedź").is_visible()
    assert shop.scores == []


async def test_a_page_that_nobody_sees_waits(chromium: Any, shop: Shop) -> None:
    """A tab in the background, or one that the browser loads before it is asked to."""
    async with visit(chromium) as page:
        await page.add_init_script(
            "window.seen = 'hidden'; Object.defineProperty(document, 'visibilityState', {get: () => window.seen})"
        )
        await page.goto(await shop.link() + "?score=9", wait_until="networkidle")
        assert shop.scores == []
        await page.evaluate("window.seen = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
        await page.get_by_text("Twoja ocena: 9").wait_for()
    assert shop.scores == [(9, None)]


async def test_the_e_mail_opened_again_does_not_wipe_out_what_was_written(chromium: Any, shop: Shop) -> None:
    async with visit(chromium) as page:
        address = await shop.link()
        await page.goto(address + "?score=3")
        await page.get_by_role("textbox").fill("Za późno")
        await page.get_by_role("button", name="Wyślij komentarz").click()
        await page.get_by_text("Twoje słowa").wait_for()
        for again in (3, 9):
            await page.goto(f"{address}?score={again}", wait_until="networkidle")
            assert await page.get_by_text("Mamy już Twoją odpowiedź").is_visible()
        assert shop.scores == [(3, None), (3, "Za późno")]

        await page.get_by_role("button", name="Wyślij odpowiedź").click()
        await page.get_by_text("Twoja ocena: 9").wait_for()
    assert newest(shop.ingest)["score"] == 9
    assert [event.revision for event, _ in answers(shop.ingest)] == [NOW, NOW + 1, NOW + 2]


async def test_while_the_log_is_away_what_was_typed_stays(chromium: Any, shop: Shop) -> None:
    async with visit(chromium) as page:
        await page.goto(await shop.link())
        shop.ingest.log.unavailable = "away"
        await page.get_by_role("button", name="3", exact=True).click()
        await page.get_by_role("alert").wait_for()
        await page.get_by_role("textbox").fill('Za późno & "mokro" <i>')
        await page.get_by_role("button", name="Wyślij odpowiedź").click()
        await page.get_by_role("alert").wait_for()
        assert await page.get_by_role("textbox").input_value() == 'Za późno & "mokro" <i>'
        assert await violations(page) == []
        await shoot(page, "survey-away")

        shop.ingest.log.unavailable = None
        await page.get_by_role("button", name="Wyślij odpowiedź").click()
        await page.get_by_text("Twoja ocena: 3").wait_for()
    assert shop.scores == [(3, 'Za późno & "mokro" <i>')]


@pytest.mark.parametrize("javascript", [True, False])
async def test_by_keyboard_alone(chromium: Any, shop: Shop, javascript: bool) -> None:
    async with visit(chromium, javascript=javascript) as page:
        await page.goto(await shop.link())
        for _ in range(1 + 7):
            await page.keyboard.press("Tab")
        assert await page.locator(":focus").inner_text() == "7"
        await page.keyboard.press("Enter")
        await page.locator("h1", has_text="Twoja ocena: 7").wait_for()
        await page.keyboard.press("Tab")
        await page.keyboard.type("Szybko")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.locator("blockquote").wait_for()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")  # opens "change"
        for _ in range(1 + 10):
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.locator("h1", has_text="Twoja ocena: 10").wait_for()
    assert shop.scores == [(7, None), (7, "Szybko"), (10, "Szybko")]


async def test_what_a_screen_reader_is_told(chromium: Any, shop: Shop) -> None:
    async with visit(chromium) as page:
        await page.goto(await shop.link())
        question = "Na ile prawdopodobne jest, że polecisz firmę Olcha i Dąb rodzinie lub znajomym?"
        group = page.get_by_role("group", name=question)
        assert await group.get_by_role("button").count() == 11
        assert await group.get_by_role("button", name="0 – na pewno nie polecę").count() == 1
        assert await group.get_by_role("button", name="10 – na pewno polecę").count() == 1
        assert await page.get_by_role("heading", level=1).count() == 1
        assert (await page.title()).replace("\N{NO-BREAK SPACE}", " ") == f"{question} · Olcha i Dąb"
        await group.get_by_role("button", name="3", exact=True).click()
        await page.get_by_role("textbox", name="Co najbardziej na to wpłynęło?").wait_for()
        assert await page.title() == "Dziękujemy. Twoja ocena: 3 · Olcha i Dąb"


@pytest.mark.parametrize(("metric", "width", "theme"), SCREENS)
async def test_every_question_on_every_screen(chromium: Any, shop: Shop, metric: str, width: int, theme: Any) -> None:
    async with visit(chromium, width=width, theme=theme, person=False) as page:
        address = await shop.link(metric=metric, order_id="4711", language="pl" if theme == "light" else "en")
        for step, query in (("ask", ""), ("chosen", "?score=1")):
            await page.goto(address + query)
            await shoot(page, f"survey-{metric}-{step}-{theme}-{width}")
            assert await violations(page) == []
            assert not await is_wider_than_the_screen(page)
            boxes = [await button.bounding_box() for button in await page.locator("button").all()]
            assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes)
        await page.locator(".send").click()
        await page.locator("summary").click()
        await shoot(page, f"survey-{metric}-thanks-{theme}-{width}")
        assert await violations(page) == []
        assert not await is_wider_than_the_screen(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_link_that_leads_nowhere(chromium: Any, shop: Shop, theme: Any) -> None:
    async with visit(chromium, width=320, theme=theme, locale="en-GB") as page:
        address = await shop.link(valid_days=1)
        answer = await page.goto(address[:-9])
        assert answer.status == 404
        assert await page.get_by_role("heading").all_inner_texts() == ["This link does not work", "Ten link nie działa"]
        assert await violations(page) == []
        shop.ingest.clock.advance(86_400)
        answer = await page.goto(address)
        assert answer.status == 410
        await shoot(page, f"survey-closed-{theme}")
        assert await violations(page) == []
        assert not await is_wider_than_the_screen(page)


async def test_the_other_language_keeps_the_score(chromium: Any, shop: Shop) -> None:
    async with visit(chromium, javascript=False) as page:
        await page.goto(await shop.link(language="pl") + "?score=4")
        await page.get_by_role("link", name="English").click()
        assert await page.locator("h1").inner_text() == (
            "How likely are you to recommend Olcha\xa0i\xa0Dąb to your family or friends?"
        )
        assert await page.get_by_role("button", name="4 (chosen)").count() == 1


async def test_the_logo_is_shown(chromium: Any, shop: Shop) -> None:
    async with visit(chromium) as page:
        await page.goto(await shop.link())
        assert await page.evaluate("document.querySelector('header img').naturalWidth") > 0


@pytest.mark.parametrize(
    ("colour", "theme"), [("#FFE600", "light"), ("#FFFFFF", "light"), ("#000000", "dark"), ("#FF0000", "dark")]
)
async def test_any_brand_can_be_read(chromium: Any, colour: str, theme: Any) -> None:
    """Also a name without spaces that is wider than a phone, and one word of a comment that is too."""
    ingest = RunningIngest(brand_name="Przedsiębiorstwowielobranżowe" * 2, brand_colour=colour)
    await ingest.start()
    async with serving(ingest.service.app) as url, visit(chromium, width=320, theme=theme, person=False) as page:
        await page.goto(url + await link(ingest) + "?score=3")
        assert await violations(page) == []
        assert not await is_wider_than_the_screen(page)
        await page.get_by_role("textbox").fill(LONG)
        await page.locator(".send").click()
        await shoot(page, f"survey-brand-{colour[1:]}-{theme}")
        assert await violations(page) == []
        assert not await is_wider_than_the_screen(page)
    await ingest.stop()
