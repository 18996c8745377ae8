"""The built-in sources, a document each, and the schema that every document follows."""

from pathlib import Path

FOLDER = Path(__file__).parent
SCHEMA = FOLDER / "schema.json"
