"""JSON Schemas of the events, one a type, made from the structs: `python -m shared.events.schemas` writes docs/schemas.

Each describes `data`, which is the same as sent and as on the log; `event.json` describes the record around it.
What one field alone cannot say (a score on its scale, one of two promises) is checked beyond the schema.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.events.catalogue import TYPES
from shared.events.envelope import Event

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FIRST = ("$schema", "title", "description", "type")
_FOLDER = Path(__file__).parents[2] / "docs" / "schemas"


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> schema."""
    envelope = {"$schema": _DIALECT, "title": "A record on the log", **msgspec.json.schema(Event)}
    by_type = {
        f"{name}.json": {"$schema": _DIALECT, "title": name, "x-topic": kind.topic, **msgspec.json.schema(kind.struct)}
        for name, kind in TYPES.items()
    }
    return {"event.json": envelope, **by_type}


def as_text(schema: Mapping[str, Any]) -> str:
    return formatted(ordered(schema))


def formatted(document: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def ordered(value: Any, *, as_given: bool = False) -> Any:
    """Keywords in one order: the library gives another in every process. Fields stay as the struct has them."""
    if isinstance(value, list):
        return [ordered(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    keys = value if as_given else sorted(value, key=lambda key: (key not in _FIRST, key))
    return {key: ordered(value[key], as_given=key == "properties") for key in keys}


def write(folder: Path) -> None:
    """Make the folder hold these schemas and no others."""
    folder.mkdir(exist_ok=True)
    found = schemas()
    for name, schema in found.items():
        (folder / name).write_text(as_text(schema), encoding="utf-8")
    for stale in {path.name for path in folder.glob("*.json")} - found.keys():
        (folder / stale).unlink()


if __name__ == "__main__":
    write(_FOLDER)
