"""The mapping document: YAML that says which events a row of a foreign file is.

Pure: text and rows go in, events come out. Every mistake in a document is refused when it is compiled, with its line;
afterwards a row gives events or is rejected with the field at fault, in bounded time and memory.
"""

from services.ingest.mapping.applying import RowError
from services.ingest.mapping.document import MappingDocument, compile_mapping
from services.ingest.mapping.formats import Format
from services.ingest.mapping.located import MappingError

__all__ = ["Format", "MappingDocument", "MappingError", "RowError", "compile_mapping"]
