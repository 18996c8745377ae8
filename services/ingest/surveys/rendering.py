"""From a survey's page to HTML, and the files that go with it: the brand's colours and logo are among them."""

from pathlib import Path
from typing import NamedTuple

from services.ingest.surveys.colours import stylesheet
from services.ingest.surveys.page import Closed, Page
from services.ingest.surveys.wording import Wording
from shared.pages.files import StaticFiles, static_file, static_files, templates

_HERE = Path(__file__).parent


class Brand(NamedTuple):
    """As in the settings; the name stands in the wording too."""

    name: str | None
    colour: str
    logo: Path | None
    privacy: str | None


def files(brand: Brand) -> StaticFiles:
    found = static_files(_HERE / "static")
    found["brand.css"] = static_file(".css", stylesheet(brand.colour).encode())
    if brand.logo is not None:
        found["logo"] = static_file(brand.logo.suffix, brand.logo.read_bytes())
    return found


class Pages:
    """Addresses in them are relative to /s/TOKEN: they hold behind any proxy's path."""

    def __init__(self, brand: Brand, files: StaticFiles) -> None:
        self._environment = templates(_HERE / "templates", files, "static")
        self._environment.globals["brand"] = brand
        self._environment.globals["logo"] = "logo" in files

    def survey(self, page: Page, say: Wording, other: str | None) -> str:
        """`other` is the address of the page in the other language, None where it would lose what was typed."""
        return self._environment.get_template("survey.html").render(page=page, say=say, other=other)

    def closed(self, closed: Closed) -> str:
        return self._environment.get_template("closed.html").render(closed=closed, say=closed.wordings[0])
