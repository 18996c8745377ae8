"""The process that reads an upload's file: what is in it costs this process memory and time, never the door's.

    python -P -m services.ingest.uploads.child look|run FOLDER

`look` writes what it saw; `run` imports, with the key PETLA_API_KEY, at PETLA_UPLOAD_ADDRESS, and writes how it ended.
Killed at any moment it leaves what another one goes on from.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import msgspec

from services.ingest.imports.display import progress_bar
from services.ingest.imports.faults import EndedEarlyError
from services.ingest.imports.progress import Checkpoint, ErrorFile, Standing, companion
from services.ingest.imports.rows import FileError
from services.ingest.imports.running import Order, Tools, endpoint, run
from services.ingest.mapping import MappingError
from services.ingest.uploads.kept import Counted, Ended
from services.ingest.uploads.looking import look
from services.ingest.uploads.own import Own
from services.ingest.uploads.reading import compiled, form
from shared.clock import SystemClock

_MOST_MEMORY = 1024 * 1024 * 1024
_CPU_SECONDS = {"look": 60, "run": 1200}
_NICER = 10


def main(words: Sequence[str], environment: Mapping[str, str]) -> int:
    what, folder = words
    # SIGINT is ignored by whatever a shell runs in the background, and by all that is started there.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _restrain(what)
    own = Own(Path(folder))
    if what == "look":
        own.looked(look(own, SystemClock()))
    else:
        own.ended(import_file(own, environment["PETLA_UPLOAD_ADDRESS"], environment["PETLA_API_KEY"]))
    return 0


def import_file(own: Own, address: str, key: str) -> Ended:
    """From where another process stopped."""
    facts, text, clock = own.facts(), own.document(), SystemClock()
    known = {"upload": msgspec.to_builtins(facts), "document": text.decode(errors="replace")}
    standing = Standing(
        Checkpoint(companion(own.content, ".progress.json"), known, clock),
        ErrorFile(companion(own.content, ".errors.jsonl")),
    )
    tools = Tools(None, time.sleep, clock, partial(progress_bar, stream=sys.stderr, hidden=True))
    try:
        mapping = compiled(facts, text)
        run(Order(own.content, form(facts.choice, mapping), mapping, endpoint(address), key), tools, standing)
    except (EndedEarlyError, MappingError, FileError) as fault:
        return _stopped(standing, own.without_place(str(fault)), code=fault.code)
    except KeyboardInterrupt:
        return _stopped(standing, "the server was stopped", code="interrupted")
    return Ended(_counted(standing))


def _stopped(standing: Standing, why: str, *, code: str) -> Ended:
    standing.keep()
    return Ended(_counted(standing), why, code)


def _counted(standing: Standing) -> Counted:
    return Counted(**asdict(standing.counts))


def _restrain(what: str) -> None:
    """Memory and time have an end, the door goes first, and what is written is for its owner alone."""
    os.umask(0o077)
    os.nice(_NICER)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS[what], _CPU_SECONDS[what]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
