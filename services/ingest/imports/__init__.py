"""`petla import`: a file, a mapping, and every row of it answered for.

Streaming: memory holds one batch. Repeating is harmless, because the ids of the events derive from the file.
"""

from services.ingest.imports.command import command

__all__ = ["command"]
