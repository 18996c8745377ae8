"""The document of `petla import`: format, time zone, CloudEvents source, tables, rules.

Each part is compiled on its own, so that another kind of document can share them.
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


@dataclass(frozen=True)
class MappingDocument:
    """A compiled document; the same row always gives the same events."""

    format: Format
    source: str
    rules: tuple[Rule | Ignore, ...]
    context: Context

    def events(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """CloudEvents as JSON objects; empty when no rule's `when` holds. Raises `RowError`."""
        return events(self.rules, self.context, row)


def compile_mapping(text: str, file: str, event_types: Sequence[str]) -> MappingDocument:
    """`file` is the name that messages carry. Raises `MappingError` for the first mistake, with its line."""
    document = Section("the mapping", read_yaml(text, file))
    document.expect(required=("ce_source", "rules"), optional=("format", "timezone", "tables", "otherwise"))
    surroundings = Surroundings(compile_zone(document), compile_tables(document))
    rules = compile_rules(document, event_types, partial(Expression, surroundings=surroundings))
    if document.has("otherwise"):
        document.choice("otherwise", ("ignore",), "way to treat other rows")
    source = document.text("ce_source")
    context = Context(Functions(surroundings), source, frozenset(event_types))
    return MappingDocument(compile_format(document), source, rules, context)


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
