"""A log line is one JSON object, and an error in it is a place, not a quotation."""

import io
import json

import structlog

from shared.logs import failure, set_up


def test_a_line_is_a_json_object() -> None:
    stream = io.StringIO()
    before = structlog.get_config()
    try:
        set_up(stream)
        structlog.get_logger("x").warning("event\nrejected", id="zażółć", code="too_large")
    finally:
        structlog.configure(**before)
    [line] = stream.getvalue().splitlines()
    assert json.loads(line).items() >= {"event": "event\nrejected", "id": "zażółć", "level": "warning"}.items()


def test_an_error_is_its_type_and_the_way_to_it() -> None:
    try:
        raise ValueError("Anna Nowak")
    except ValueError as error:
        said = failure(error)
    assert said["error"] == "ValueError"
    assert "test_logs.py" in str(said["frames"])
    assert "Nowak" not in str(said)
