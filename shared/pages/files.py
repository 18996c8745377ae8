"""Files that go with pages, and the templates they are made of.

A file's address holds a digest of its content, so that it may be kept for ever and is never stale.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from shared.pages import bar
from shared.pages.policy import page_headers
from shared.problems import Refusal

_SHARED = Path(__file__).parent
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
_DIGEST_LETTERS = 12
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_KEPT = "no-cache"


class StaticFile(NamedTuple):
    content: bytes
    media_type: str
    digest: str


StaticFiles = Mapping[str, StaticFile]


def static_files(folder: Path) -> dict[str, StaticFile]:
    """Those of `folder` and those of every page, by name; read once, when the service starts."""
    found = (path for place in (_SHARED / "static", folder) for path in place.iterdir() if path.suffix in MEDIA_TYPES)
    return {path.name: static_file(path.suffix, path.read_bytes()) for path in found}


def static_file(suffix: str, content: bytes) -> StaticFile:
    return StaticFile(content, MEDIA_TYPES[suffix], hashlib.sha256(content).hexdigest()[:_DIGEST_LETTERS])


def templates(folder: Path, files: StaticFiles, root: str) -> Environment:
    """`static(name)` in a template is the address of a file: `root`, its digest, its name. `bar.html` is for all."""
    environment = Environment(
        loader=FileSystemLoader([folder, _SHARED / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(static=lambda name: f"{root}/{files[name].digest}/{name}", bar_words=bar.WORDS)
    return environment


def file_answer(files: StaticFiles, digest: str, name: str) -> Response:
    """Refusal (404) when there is no such file."""
    file = files.get(name)
    if file is None:
        raise Refusal(404, "not_found", "there is no such file: the page that named it is of another version")
    # A page that another version made still gets its looks, but nobody keeps them under that address.
    kept = _FOR_EVER if digest == file.digest else _NOT_KEPT
    return Response(file.content, headers={**page_headers(), "Cache-Control": kept}, media_type=file.media_type)
