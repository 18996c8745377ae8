"""Pages as a person meets them: in the system's Chromium, driven by Playwright. Where there is none, tests skip.

`chromium` is one browser a test run; `visit` opens a page of its own in it; `serving` answers at a free port.
"""

import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from starlette.types import ASGIApp

from services.answering import answering

SCREENSHOTS = os.environ.get("PETLA_SCREENSHOTS")  # a folder, for whoever wants to look at what the tests saw
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]  # root in a container has neither
_NO_AUTOMATION = "Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false})"
_SERIOUS = ("serious", "critical")


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Any]:
    """A `playwright.async_api.Browser`."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on this machine (apt install chromium)")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def visit(
    chromium: Any,
    *,
    javascript: bool = True,
    width: int = 900,
    theme: Literal["light", "dark"] = "light",
    locale: str = "pl-PL",
    person: bool = True,
    key: str | None = None,
) -> AsyncIterator[Any]:
    """A `playwright.async_api.Page` with a memory of its own. `person` False: the browser says that it is automated.

    `key` is what its reader gives where a page asks for one.

    What the page writes to its console as an error, a violation of its policy above all, fails the test.
    """
    context = await chromium.new_context(
        java_script_enabled=javascript,
        viewport={"width": width, "height": 800},
        color_scheme=theme,
        locale=locale,
        http_credentials=None if key is None else {"username": "anna", "password": key},
    )
    if person:
        await context.add_init_script(_NO_AUTOMATION)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page
    finally:
        await context.close()
    assert not [text for text in said if not text.startswith("Failed to load resource")], said  # a status is no error


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The address at which `app` answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        async with answering(app, listener):
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def violations(page: Any) -> list[str]:
    """What axe-core finds serious or worse: rule, and the element."""
    from axe_playwright_python.async_playwright import Axe

    found = (await Axe().run(page)).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary']}"
        for one in found
        if one["impact"] in _SERIOUS
        for node in one["nodes"]
    ]


async def is_wider_than_the_screen(page: Any) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


async def shoot(page: Any, name: str) -> None:
    if SCREENSHOTS:
        await page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=True)
