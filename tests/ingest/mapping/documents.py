"""Small mapping documents for tests."""

from typing import Any

from services.ingest.mapping import MappingDocument, compile_mapping
from shared.events.catalogue import ACCEPTED_TYPES


def compiled(text: str) -> MappingDocument:
    return compile_mapping(text, "m.yaml", ACCEPTED_TYPES)


def document(expression: str, timezone: str | None = "Europe/Warsaw", tables: str = "{}") -> MappingDocument:
    """One rule that puts the expression into `data.text`."""
    zone = f"timezone: {timezone}\n" if timezone else ""
    quoted = expression.replace("\\", "\\\\").replace('"', '\\"')
    return compiled(
        f"ce_source: /t\n{zone}tables: {tables}\nrules:\n"
        f'  - emit: feedback.received.v1\n    id: "\'1\'"\n    map: {{text: "{quoted}"}}\n'
    )


def evaluate(expression: str, row: dict[str, Any] | None = None, **options: Any) -> Any:
    """What the expression gives on the row; None when the field is left out."""
    (event,) = document(expression, **options).events(row or {})
    return event["data"].get("text")
