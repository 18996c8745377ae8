"""An OpenAPI document as a page: every operation, what it takes, what it answers. No script, nothing from elsewhere.

The framework's own viewer is a script of another host's: blank without a network, and our policy would not let it in.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shared.pages.files import StaticFiles, static_files, templates

_HERE = Path(__file__).parent
_METHODS = ("get", "post", "put", "delete", "patch")


class Operation(NamedTuple):
    """`parameters` have name, place, whether they are required, and a description; `takes` are media types."""

    method: str
    path: str
    summary: str
    description: str
    parameters: list[tuple[str, str, bool, str]]
    takes: list[str]
    answers: list[tuple[str, str]]


class Reference:
    """Its files are asked for under `docs/`, beside the page, wherever that is."""

    def __init__(self) -> None:
        self.files: StaticFiles = static_files(_HERE)
        self._template = templates(_HERE, self.files, "docs").get_template("reference.html")

    def page(self, document: Mapping[str, Any], address: str) -> str:
        """`address` is where the document itself is."""
        return self._template.render(title=document["info"]["title"], operations=operations(document), address=address)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    return [
        _operation(method, path, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]


def _operation(method: str, path: str, told: Mapping[str, Any]) -> Operation:
    return Operation(
        method.upper(),
        path,
        told.get("summary", ""),
        told.get("description", ""),
        list(_parameters(told)),
        list(told.get("requestBody", {}).get("content", {})),
        [(status, answer.get("description", "")) for status, answer in told.get("responses", {}).items()],
    )


def _parameters(told: Mapping[str, Any]) -> Iterator[tuple[str, str, bool, str]]:
    for one in told.get("parameters", ()):
        description = one.get("description") or one.get("schema", {}).get("description", "")
        yield one["name"], one["in"], one.get("required", False), description
