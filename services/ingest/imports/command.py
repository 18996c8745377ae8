"""The run of `petla import`: checks first, then batch by batch, the exit code last."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from services.ingest.imports.display import outcome, progress_bar
from services.ingest.imports.faults import EndedEarlyError, NothingSentError, StoppedError
from services.ingest.imports.progress import Checkpoint, ErrorFile, Standing, companion, identity
from services.ingest.imports.running import Order, Tools, endpoint, run
from services.ingest.mapping import MappingDocument, MappingError, compile_mapping
from shared.clock import Clock, SystemClock
from shared.events.catalogue import ACCEPTED_TYPES


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
    bar = partial(progress_bar, stream=sys.stderr, hidden=as_json)
    tools = Tools(transport, sleep, clock or SystemClock(), bar)
    try:
        order, text = _check(file, mapping, url, key)
        standing = _begin(order, text, tools.clock)
    except EndedEarlyError as fault:
        return _fail(fault)
    try:
        run(order, tools, standing)
    except EndedEarlyError as fault:
        return _end_early(fault, standing, as_json)
    except KeyboardInterrupt:
        return _end_early(StoppedError("interrupted: run it again to go on from there"), standing, as_json)
    print(standing.counts.json() if as_json else outcome(standing.counts, standing.errors.path, standing.errors.table))
    return 1 if standing.counts.rejected else 0


def _check(file: Path, mapping: Path, url: str, key: str | None) -> tuple[Order, bytes]:
    """With the mapping as it was written."""
    compiled, text = _compile(mapping)
    if not file.is_file():
        raise NothingSentError(f"{file} is not a file: name a CSV or JSONL file, plain or .gz, or an .xlsx workbook")
    if not key:
        remedy = "give --key or PETLA_API_KEY; `petla keys create --source NAME --scope events:write` makes one"
        raise NothingSentError(f"no key: {remedy}")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise NothingSentError("the key holds characters that no key has: copy it again")
    return Order(file, compiled.format, compiled, endpoint(url), key), text


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


def _begin(order: Order, mapping: bytes, clock: Clock) -> Standing:
    """Where an earlier run stopped, else the first row."""
    try:
        known = identity(order.file, mapping, order.url, order.mapping.source)
    except OSError as error:
        raise NothingSentError(f"{order.file} cannot be read: {error.strerror}") from None
    checkpoint = Checkpoint(companion(order.file, ".progress.json"), known, clock)
    return Standing(checkpoint, ErrorFile(companion(order.file, ".errors.jsonl")))


def _end_early(fault: EndedEarlyError, standing: Standing, as_json: bool) -> int:
    standing.keep()
    if as_json and fault.exit_code == StoppedError.exit_code:
        print(standing.counts.json())
    return _fail(fault)


def _fail(fault: EndedEarlyError) -> int:
    print(f"petla import: {fault}", file=sys.stderr)
    return fault.exit_code
