"""A log line is one JSON object, and an error in it is a place, not a quotation."""

import io
import json
import logging
import sys

import pytest
import structlog

from shared.logs import failure, set_up


@pytest.fixture
def stream(logs_as_before: None) -> io.StringIO:
    """Where the lines go while a test runs."""
    made = io.StringIO()
    set_up(made)
    return made


def test_a_line_is_a_json_object(stream: io.StringIO) -> None:
    structlog.get_logger("x").warning("event\nrejected", id="zażółć", code="too_large")
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


def library(name: str) -> logging.Logger:
    """As in a process: nobody but the last resort hears it."""
    logger = logging.Logger(name)
    logger.setLevel(logging.WARNING)
    return logger


def test_what_a_library_says_is_a_line_without_what_it_put_in(stream: io.StringIO) -> None:
    library("some.library").warning("no answer from %s\nAnna Nowak", "Anna Nowak")
    [line] = stream.getvalue().splitlines()
    expected = {"event": "library_said", "library": "some.library", "said": "no answer from %s", "level": "warning"}
    assert json.loads(line).items() >= expected.items()
    assert "Nowak" not in line


def test_a_libraries_error_is_its_type_and_the_way_to_it(stream: io.StringIO) -> None:
    try:
        raise ValueError("Anna Nowak")
    except ValueError:
        library("some.library").error("it failed", exc_info=sys.exc_info())
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["error"] == "ValueError"
    assert "test_logs.py" in line
    assert "Nowak" not in line
