"""A file, row by row, until each has its answer: what `petla import` and the page of uploads do alike."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx

from services.ingest.imports.batches import Batch, Rejection, batches, requests
from services.ingest.imports.client import Sender
from services.ingest.imports.display import Bar
from services.ingest.imports.faults import NothingSentError, StoppedError
from services.ingest.imports.opening import open_source
from services.ingest.imports.progress import Standing
from services.ingest.imports.rows import FileError
from services.ingest.mapping import Format, MappingDocument
from shared.clock import Clock

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


@dataclass(frozen=True)
class Order:
    """What is to be imported, checked: `key` and `url` may be used as they are. `form` is how the file is written."""

    file: Path
    form: Format
    mapping: MappingDocument
    url: str
    key: str


@dataclass(frozen=True)
class Tools:
    """What reaches out of the process. `bar` is given the size of the file."""

    transport: httpx.BaseTransport | None
    sleep: Callable[[float], None]
    clock: Clock
    bar: Callable[[int], AbstractContextManager[Bar]]


def run(order: Order, tools: Tools, standing: Standing) -> None:
    """From where `standing` is to the end of the file. Raises `EndedEarlyError`: then it can be run again."""
    # A proxy of the environment is for other machines.
    trust_env = httpx.URL(order.url).host not in _LOOPBACK
    try:
        with (
            open_source(order.file, order.form) as source,
            httpx.Client(transport=tools.transport, timeout=_TIMEOUT, trust_env=trust_env) as http,
            tools.bar(source.size) as bar,
        ):
            sender = Sender(http, order.url, order.key, lambda seconds: _wait(bar, tools, seconds))
            rows = islice(source.rows(), standing.counts.rows, None)
            for batch in batches(rows, order.mapping):
                standing.settle(batch, _send(batch, sender), source.position())
                bar.shown(source.position(), standing.counts)
            standing.finish()
    except FileError as error:
        behind = f", behind row {standing.counts.rows}" if standing.counts.rows else ""
        sentence = f"{order.file}{behind}: {error}"
        raise (StoppedError if standing.counts.sent else NothingSentError)(sentence, code=error.code) from None
    except OSError as error:
        sentence = f"{error.filename or order.file}: {error.strerror or error}"
        raise (StoppedError if standing.counts.sent else NothingSentError)(sentence, code="disk") from None


def endpoint(url: str) -> str:
    """Raises `NothingSentError` for what is no address."""
    try:
        parsed = httpx.URL(url.rstrip("/") + "/v1/events")
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise NothingSentError(f"{url!r:.200} is no address: such as http://127.0.0.1:8080")
    return str(parsed)


def _wait(bar: Bar, tools: Tools, seconds: float) -> None:
    bar.waiting(seconds)
    tools.sleep(seconds)


def _send(batch: Batch, sender: Sender) -> list[Rejection]:
    """What the server rejected."""
    return [
        Rejection(batch.origins[part.start + index], field, message)
        for part in requests(batch)
        for index, (field, message) in sender.send(batch.lines[part]).items()
    ]
