"""CloudEvents over HTTP in all three modes (spec: http-protocol-binding.md, json-format.md), read as JSON objects."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from services.ingest.json_flaws import WHOLE
from services.ingest.webhooks.request import Request
from shared.events.fields import EventError

_REQUIRED = ("specversion", "id", "source", "type")


def cloud_events(request: Request, read_json: Callable[[bytes], Any]) -> list[dict[str, Any]]:
    """Each with its attributes and `data`. Raises `EventError`, also for an attribute that every event must have."""
    if request.media.startswith("application/cloudevents-batch"):
        listed = read_json(request.body)
    elif request.media.startswith("application/cloudevents") or "ce-id" not in request.headers:
        listed = [read_json(request.body)]
    else:
        listed = [_binary(request, read_json)]
    if not isinstance(listed, list):
        raise EventError(WHOLE, "wrong_type", "a batch is a JSON array of events")
    return [_checked(event, read_json) for event in listed]


def _binary(request: Request, read_json: Callable[[bytes], Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        name.removeprefix("ce-"): _header(name, value)
        for name, value in request.headers.items()
        if name.startswith("ce-")
    }
    if request.body and _is_json(request.media):
        attributes["data"] = read_json(request.body)
    return attributes


def _is_json(media: str) -> bool:
    """JSON is also what is not named; of anything else, the attributes alone are read."""
    return media in ("", "application/json", "text/json") or media.endswith("+json")


def _header(name: str, value: str) -> str:
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeError as error:
        raise EventError(
            WHOLE, "not_percent_encoded", f"the header {name[:40]} is not percent-encoded UTF-8"
        ) from error


def _checked(event: Any, read_json: Callable[[bytes], Any]) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise EventError(WHOLE, "wrong_type", "an event is a JSON object")
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise EventError(name, "missing", f"{name} is required: a CloudEvent has it as text")
    if event["specversion"] != "1.0":
        raise EventError("specversion", "unknown_version", 'must be "1.0"')
    encoded = event.get("data_base64")
    if isinstance(encoded, str) and "data" not in event:
        return {**event, "data": _from_base64(encoded, read_json)}
    return event


def _from_base64(encoded: str, read_json: Callable[[bytes], Any]) -> Any:
    """The JSON in it; null for what is no JSON: whether that matters, the rules say."""
    try:
        return read_json(base64.b64decode(encoded, validate=True))
    except (EventError, binascii.Error, ValueError):
        return None
