"""The document's `format`: how the file is written, as far as the document says. The rest is read from the file."""

import codecs
from dataclasses import dataclass

from services.ingest.mapping.sections import Section

TYPES = ("csv", "jsonl", "xlsx")
_READS = {"delimiter": ("csv",), "encoding": ("csv", "jsonl"), "sheet": ("xlsx",)}


@dataclass(frozen=True)
class Format:
    """Absent is what the file itself is asked for.

    `type` csv, jsonl or xlsx; `delimiter` one character between cells (csv); `encoding` Python's codec name (csv,
    jsonl); `sheet` the name of the sheet (xlsx).
    """

    type: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None


def compile_format(document: Section) -> Format:
    """Raises `MappingError`."""
    if not document.has("format"):
        return Format()
    section = document.section("format")
    section.expect(required=(), optional=("type", *_READS))
    kind = section.choice("type", TYPES, "format") if section.has("type") else None
    _refuse_what_is_of_another(section, kind)
    sheet = section.text("sheet") if section.has("sheet") else None
    return Format(kind, _delimiter(section), _encoding(section), sheet)


def _refuse_what_is_of_another(section: Section, kind: str | None) -> None:
    for key, kinds in _READS.items():
        if kind is not None and section.has(key) and kind not in kinds:
            raise section.mistake(key, f"a {kind} file has no {key}: remove it")


def _delimiter(section: Section) -> str | None:
    if not section.has("delimiter"):
        return None
    delimiter = section.content.value["delimiter"].value
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n \0':
        raise section.mistake("delimiter", 'the delimiter is one character, such as "," ";" or "\\t"')
    return delimiter


def _encoding(section: Section) -> str | None:
    if not section.has("encoding"):
        return None
    name = section.text("encoding")
    try:
        if "a".encode(name).decode(name) != "a":
            raise LookupError
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        reason = f"{name[:40]!r} is no encoding: such as utf-8, cp1250, iso-8859-2, utf-16"
        raise section.mistake("encoding", reason) from None
