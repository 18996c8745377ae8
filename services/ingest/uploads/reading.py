"""The file of an upload, read as `petla import` reads it: its document compiled, its format as chosen on the page."""

from dataclasses import replace

from services.ingest.mapping import Format, MappingDocument, MappingError, compile_mapping
from services.ingest.uploads.kept import Choice, Facts
from shared.events.catalogue import ACCEPTED_TYPES

FILE = "document"  # the name that messages carry


def compiled(facts: Facts, text: bytes) -> MappingDocument:
    """Raises `MappingError`."""
    try:
        mapping = compile_mapping(text.decode("utf-8-sig"), FILE, ACCEPTED_TYPES)
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise MappingError(FILE, line, "not UTF-8: save the document as UTF-8") from None
    if facts.ce_source is not None:
        context = replace(mapping.context, source=facts.ce_source)
        mapping = replace(mapping, source=facts.ce_source, context=context)
    return replace(mapping, version=facts.version) if facts.version is not None else mapping


def form(choice: Choice, mapping: MappingDocument) -> Format:
    """What was chosen on the page stands in place of what the document says."""
    said = mapping.format
    return Format(
        said.type,
        choice.delimiter or said.delimiter,
        choice.encoding or said.encoding,
        choice.sheet or said.sheet,
    )
