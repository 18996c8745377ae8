"""From a page's model to HTML."""

from pathlib import Path
from urllib.parse import quote

from services.scoring.pages.overview import Overview
from services.scoring.pages.sources import SourcesPage
from services.scoring.pages.wording import Wording
from shared.pages.files import StaticFiles, static_files, templates

_HERE = Path(__file__).parent


def files() -> StaticFiles:
    return static_files(_HERE / "static")


class Pages:
    def __init__(self, files: StaticFiles) -> None:
        self._environment = templates(_HERE / "templates", files, "/static")

    def overview(self, page: Overview, wording: Wording) -> str:
        return self._environment.get_template("overview.html").render(page=page, say=wording)

    def sources(self, page: SourcesPage, wording: Wording) -> str:
        chosen = f"source={quote(page.chosen.name, safe='')}&" if page.chosen else ""
        return self._environment.get_template("sources.html").render(page=page, say=wording, kept_query=chosen)
