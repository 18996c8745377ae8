"""From how an upload stands to HTML."""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.ingest.uploads.choosing import ANSWERS, COLUMNS, Offered
from services.ingest.uploads.desk import DELIMITERS, ENCODINGS, LONGEST_DOCUMENT, MOST_BYTES, OWN
from services.ingest.uploads.folder import Upload
from services.ingest.uploads.page import Chosen, state_of, upload_page
from services.ingest.uploads.wording import Wording
from shared.pages.files import StaticFiles, static_files, templates

_HERE = Path(__file__).parent
ROOT = "/sources/upload"


def files() -> StaticFiles:
    return static_files(_HERE / "static")


class Pages:
    """`error` is a key of the texts, behind `error.`."""

    def __init__(self, files: StaticFiles, zone: ZoneInfo) -> None:
        self._environment = templates(_HERE / "templates", files, f"{ROOT}/static")
        self._environment.globals.update(
            root=ROOT, zone=zone, encodings=ENCODINGS, delimiters=list(DELIMITERS), most=MOST_BYTES, answers=ANSWERS,
            own=OWN, columns=COLUMNS, longest_document=LONGEST_DOCUMENT, state_of=state_of,
        )  # fmt: skip

    def start(
        self, sender: str, uploads: list[Upload], offered: list[Offered], chosen: Chosen, say: Wording, error: str = ""
    ) -> str:
        return self._render(
            "start.html", say, sender=sender, uploads=uploads, offered=offered, chosen=chosen, error=error
        )

    def upload(self, upload: Upload, own: str, offered: list[Offered], say: Wording, error: str = "") -> str:
        page = upload_page(upload, own, say)
        return self._render("upload.html", say, page=page, offered=offered, chosen=page.chosen, error=error)

    def gone(self, say: Wording) -> str:
        return self._render("gone.html", say)

    def denied(self, say: Wording) -> str:
        return self._render("denied.html", say)

    def _render(self, template: str, say: Wording, **values: Any) -> str:
        return self._environment.get_template(template).render(say=say, **values)
