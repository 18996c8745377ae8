"""The document of `petla import`: format, time zone, CloudEvents source, tables, rules.

Each part is compiled on its own, so that another kind of document can share them. A source's document maps files too:
its rows are then the bodies of deliveries without headers, and become the facts that its webhooks would make.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.ingest.mapping.applying import events
from services.ingest.mapping.expressions import Expression
from services.ingest.mapping.formats import Format, compile_format
from services.ingest.mapping.functions import Functions, Surroundings
from services.ingest.mapping.located import read_yaml
from services.ingest.mapping.rules import Context, Ignore, Rule, compile_rules
from services.ingest.mapping.sections import Section

STEPS = 1_000  # versions of a source's document between two revisions of the sender
_OF_SOURCES = ("source", "version", "about", "body", "verify", "handshake", "idempotency", "revision", "answer")


@dataclass(frozen=True)
class MappingDocument:
    """A compiled document; the same row always gives the same events. `version` is that of a source's document."""

    format: Format
    source: str
    rules: tuple[Rule | Ignore, ...]
    context: Context
    version: int | None = None

    def events(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """CloudEvents as JSON objects; empty when no rule's `when` holds. Raises `RowError`."""
        if self.version is None:
            return events(self.rules, self.context, row)
        scope = {**row, "root": row, "item": row, "headers": {}, "query": {}, "_index": 1}
        return [_versioned(event, self.version) for event in events(self.rules, self.context, scope)]


def _versioned(event: dict[str, Any], version: int) -> dict[str, Any]:
    """What is no whole number is refused by name where it is read."""
    revision = event.get("revision", 0)
    return {**event, "revision": revision * STEPS + version if isinstance(revision, int) else revision}


def compile_mapping(text: str, file: str, event_types: Sequence[str]) -> MappingDocument:
    """`file` is the name that messages carry. Raises `MappingError` for the first mistake, with its line."""
    document = Section("the mapping", read_yaml(text, file))
    own = () if "source" in document.names() else ("ce_source",)
    document.expect((*own, "rules"), ("ce_source", "format", "timezone", "tables", "otherwise", *_OF_SOURCES))
    surroundings = Surroundings(compile_zone(document), compile_tables(document))
    expression = partial(Expression, functions=Functions(surroundings))
    rules = compile_rules(document, event_types, expression)
    if document.has("otherwise"):
        document.choice("otherwise", ("ignore",), "way to treat other rows")
    source = document.text("ce_source") if document.has("ce_source") else f"/{document.text('source')}"
    revision = document.expression("revision", expression) if document.has("revision") else None
    context = Context(source, frozenset(event_types), revision)
    return MappingDocument(compile_format(document), source, rules, context, _version(document))


def _version(document: Section) -> int | None:
    if not document.has("source"):
        return None
    version = document.content.value["version"].value if document.has("version") else 1
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version < STEPS:
        raise document.mistake("version", f"version must be a whole number from 1 to {STEPS - 1}")
    return version


def compile_zone(document: Section) -> tzinfo | None:
    if not document.has("timezone"):
        return None
    name = document.text("timezone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reason = f"{name[:60]!r} is no time zone: write one of the IANA names, such as Europe/Warsaw"
        raise document.mistake("timezone", reason) from None


def compile_tables(document: Section) -> dict[str, dict[str, Any]]:
    """Keys are text as written, so that the cell `1` finds the key 1."""
    if not document.has("tables"):
        return {}
    tables = document.section("tables")
    return {name: tables.section(name).content.plain() for name in tables.names()}
