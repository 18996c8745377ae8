"""From a page's model to HTML, and the files that go with it.

A file's address holds a digest of its content, so that it may be kept for ever and is never stale.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.scoring.pages.overview import Overview
from services.scoring.pages.wording import Wording

_HERE = Path(__file__).parent
_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_DIGEST_LETTERS = 12


class StaticFile(NamedTuple):
    content: bytes
    media_type: str
    digest: str


def static_files() -> dict[str, StaticFile]:
    """By name; read once, when the service starts."""
    return {path.name: _static_file(path) for path in (_HERE / "static").iterdir() if path.suffix in _MEDIA_TYPES}


def _static_file(path: Path) -> StaticFile:
    content = path.read_bytes()
    return StaticFile(content, _MEDIA_TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:_DIGEST_LETTERS])


class Pages:
    def __init__(self, files: dict[str, StaticFile]) -> None:
        self._files = files
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["static"] = self._address

    def overview(self, page: Overview, wording: Wording) -> str:
        return self._environment.get_template("overview.html").render(page=page, say=wording)

    def _address(self, name: str) -> str:
        return f"/static/{self._files[name].digest}/{name}"
