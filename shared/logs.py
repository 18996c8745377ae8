"""Logs are JSON lines on stderr. They carry ids and codes; what a person wrote, or is called, never stands in them."""

import logging
import sys
import traceback
from typing import TextIO

import structlog


def set_up(stream: TextIO = sys.stderr, *, least: int = logging.INFO) -> None:
    """`least` is the level from which lines are written; where somebody watches a terminal, warnings are enough."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(least),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.lastResort = _Libraries(logging.WARNING)
    # It writes a line a try while a broker is away. What it cannot do comes to us as an exception, and is said once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class _Libraries(logging.Handler):
    """What a library says becomes a line of ours: its first words as the library wrote them, with nothing put in."""

    def emit(self, record: logging.LogRecord) -> None:
        said = str(record.msg).partition("\n")[0]
        error = record.exc_info[1] if record.exc_info else None
        shown = failure(error) if error else {}
        structlog.get_logger().log(record.levelno, "library_said", library=record.name, said=said, **shown)


def failure(error: BaseException) -> dict[str, object]:
    """What may be logged of an error: its type and the way to it. Its message may quote a customer."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__qualname__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
