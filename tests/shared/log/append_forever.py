"""Appends to the log in the folder it is given and prints how many records were acknowledged, until it is killed.

A second argument ends it after so many appends.
"""

import asyncio
import os
import sys
from pathlib import Path

from shared.log.port import NewRecord
from shared.log.sqlite import SqliteLog
from tests.shared.log.conftest import TOPICS


async def append(folder: Path, appends: int | None) -> None:
    log = SqliteLog(folder, TOPICS)
    done = 0
    while done != appends:
        await log.append([NewRecord("facts", f"{os.getpid()}-{done}-{half}".encode(), b"v" * 500) for half in "ab"])
        done += 1
        print(done, flush=True)
    await log.close()


asyncio.run(append(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
