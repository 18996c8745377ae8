"""What is deployed, read as data: YAML with its anchors and merges resolved."""

import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.e2e.processes import PROJECT
from tests.test_documents import environment_names

DEPLOY = PROJECT / "deploy"
# A version to the last part, never a name that moves.
PINNED = re.compile(r"[a-z0-9./_-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?(@sha256:[0-9a-f]{64})?")
TWO_PARTS = "postgres:"  # PostgreSQL numbers its releases with two
# Read by the programs of other images, or by the proxy's template.
NOT_OURS = re.compile(r"(NGINX|PROXY)_[A-Z_]+")


def read(path: Path) -> list[Any]:
    """Every document of a file."""
    return [document for document in YAML(typ="safe").load_all(path.read_text(encoding="utf-8")) if document]


def is_pinned(image: str) -> bool:
    version = image.partition(":")[2]
    return PINNED.fullmatch(image) is not None and (version.count(".") >= 2 or image.startswith(TWO_PARTS))


def known_names() -> set[str]:
    """Every variable that a service reads."""
    return set(environment_names())
