"""Logs are JSON lines on stderr. They carry ids and codes; what a person wrote, or is called, never stands in them."""

import logging
import sys
import traceback
from typing import TextIO

import structlog


def set_up(stream: TextIO = sys.stderr) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    # It writes a line a try while a broker is away. What it cannot do comes to us as an exception, and is said once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def failure(error: BaseException) -> dict[str, object]:
    """What may be logged of an error: its type and the way to it. Its message may quote a customer."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__qualname__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
