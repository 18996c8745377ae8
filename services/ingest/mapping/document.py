"""The document of `petla import`: format, time zone, CloudEvents source, tables, rules.

Each part is compiled on its own, so that another kind of document can share them.
"""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.ingest.mapping.expressions import Expression
from services.ingest.mapping.functions import Functions, Surroundings
from services.ingest.mapping.located import read_yaml
from services.ingest.mapping.rules import Context, Ignore, Rule, compile_rules, events
from services.ingest.mapping.sections import Section

_TYPES = ("csv", "jsonl")


@dataclass(frozen=True)
class Format:
    """How the file is written: `type` csv or jsonl, one character between cells (csv), and Python's codec name."""

    type: str = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"


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


def compile_format(document: Section) -> Format:
    if not document.has("format"):
        return Format()
    section = document.section("format")
    section.expect(required=("type",), optional=("delimiter", "encoding"))
    kind = section.choice("type", _TYPES, "format")
    if kind != "csv" and section.has("delimiter"):
        raise section.mistake("delimiter", "only csv has a delimiter: remove it")
    return Format(kind, _delimiter(section), _encoding(section))


def _delimiter(section: Section) -> str:
    if not section.has("delimiter"):
        return ","
    delimiter = section.content.value["delimiter"].value
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n \0':
        raise section.mistake("delimiter", 'the delimiter is one character, such as "," ";" or "\\t"')
    return delimiter


def _encoding(section: Section) -> str:
    if not section.has("encoding"):
        return "utf-8"
    name = section.text("encoding")
    try:
        if "a".encode(name).decode(name) != "a":
            raise LookupError
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        reason = f"{name[:40]!r} is no encoding: such as utf-8, cp1250, iso-8859-2, utf-16"
        raise section.mistake("encoding", reason) from None
