"""The run of `petla import`: checks first, then batch by batch, the exit code last."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx

from services.ingest.imports.batches import Batch, Rejection, batches, requests
from services.ingest.imports.client import Sender
from services.ingest.imports.display import Bar, outcome, progress_bar
from services.ingest.imports.faults import EndedEarlyError, NothingSentError, StoppedError
from services.ingest.imports.opening import open_source
from services.ingest.imports.progress import Checkpoint, ErrorFile, Standing, companion, identity
from services.ingest.imports.rows import FileError
from services.ingest.mapping import MappingDocument, MappingError, compile_mapping
from shared.clock import Clock, SystemClock
from shared.events.catalogue import ACCEPTED_TYPES

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


@dataclass(frozen=True)
class Order:
    """What is to be imported, checked: `key` and `url` may be used as they are."""

    file: Path
    mapping: MappingDocument
    mapping_text: bytes
    url: str
    key: str


@dataclass(frozen=True)
class Tools:
    """What reaches out of the process."""

    transport: httpx.BaseTransport | None
    sleep: Callable[[float], None]
    clock: Clock


def command(
    file: Path,
    mapping: Path,
    url: str,
    key: str | None,
    as_json: bool,
    *,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Clock | None = None,
) -> int:
    """The exit code: 0 all rows, 1 some rejected, 2 nothing sent, 3 stopped on the way; one sentence on stderr."""
    tools = Tools(transport, sleep, clock or SystemClock())
    try:
        order = _check(file, mapping, url, key)
        standing = _begin(order, tools.clock)
    except EndedEarlyError as fault:
        return _fail(fault)
    try:
        _run(order, tools, standing, as_json)
    except EndedEarlyError as fault:
        return _end_early(fault, standing, as_json)
    except KeyboardInterrupt:
        return _end_early(StoppedError("interrupted: run it again to go on from there"), standing, as_json)
    print(standing.counts.json() if as_json else outcome(standing.counts, standing.errors.path, standing.errors.table))
    return 1 if standing.counts.rejected else 0


def _check(file: Path, mapping: Path, url: str, key: str | None) -> Order:
    compiled, text = _compile(mapping)
    if not file.is_file():
        raise NothingSentError(f"{file} is not a file: name a CSV or JSONL file, plain or .gz, or an .xlsx workbook")
    if not key:
        remedy = "give --key or PETLA_API_KEY; `petla keys create --source NAME --scope events:write` makes one"
        raise NothingSentError(f"no key: {remedy}")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise NothingSentError("the key holds characters that no key has: copy it again")
    return Order(file, compiled, text, _endpoint(url), key)


def _compile(mapping: Path) -> tuple[MappingDocument, bytes]:
    try:
        content = mapping.read_bytes()
        return compile_mapping(content.decode("utf-8-sig"), str(mapping), ACCEPTED_TYPES), content
    except OSError as error:
        raise NothingSentError(f"{mapping} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NothingSentError(f"{mapping}:{line}: not UTF-8: save the mapping as UTF-8") from None
    except MappingError as error:
        raise NothingSentError(str(error)) from None


def _endpoint(url: str) -> str:
    try:
        parsed = httpx.URL(url.rstrip("/") + "/v1/events")
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise NothingSentError(f"{url!r:.200} is no address: such as http://127.0.0.1:8080")
    return str(parsed)


def _begin(order: Order, clock: Clock) -> Standing:
    """Where an earlier run stopped, else the first row."""
    try:
        known = identity(order.file, order.mapping_text, order.url, order.mapping.source)
    except OSError as error:
        raise NothingSentError(f"{order.file} cannot be read: {error.strerror}") from None
    checkpoint = Checkpoint(companion(order.file, ".progress.json"), known, clock)
    return Standing(checkpoint, ErrorFile(companion(order.file, ".errors.jsonl")))


def _run(order: Order, tools: Tools, standing: Standing, as_json: bool) -> None:
    # A proxy of the environment is for other machines.
    trust_env = httpx.URL(order.url).host not in _LOOPBACK
    try:
        with (
            open_source(order.file, order.mapping.format) as source,
            httpx.Client(transport=tools.transport, timeout=_TIMEOUT, trust_env=trust_env) as http,
            progress_bar(source.size, sys.stderr, hidden=as_json) as bar,
        ):
            sender = Sender(http, order.url, order.key, lambda seconds: _wait(bar, tools, seconds))
            rows = islice(source.rows(), standing.counts.rows, None)
            for batch in batches(rows, order.mapping):
                standing.settle(batch, _send(batch, sender))
                bar.shown(source.position(), standing.counts)
            standing.finish()
    except FileError as error:
        behind = f", behind row {standing.counts.rows}" if standing.counts.rows else ""
        sentence = f"{order.file}{behind}: {error}"
        raise (StoppedError if standing.counts.sent else NothingSentError)(sentence) from None
    except OSError as error:
        sentence = f"{error.filename or order.file}: {error.strerror or error}"
        raise (StoppedError if standing.counts.sent else NothingSentError)(sentence) from None


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


def _end_early(fault: EndedEarlyError, standing: Standing, as_json: bool) -> int:
    standing.keep()
    if as_json and fault.exit_code == StoppedError.exit_code:
        print(standing.counts.json())
    return _fail(fault)


def _fail(fault: EndedEarlyError) -> int:
    print(f"petla import: {fault}", file=sys.stderr)
    return fault.exit_code
