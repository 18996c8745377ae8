"""Spills to the folder it is given, as if there were no broker, and prints how often it was told so, until killed.

A second argument ends it after so many appends.
"""

import asyncio
import os
import sys
from pathlib import Path

from shared.clock import SystemClock
from shared.log.memory import MemoryLog
from shared.log.port import NewRecord
from shared.log.spilling import SpillingLog
from shared.logs import set_up
from tests.shared.log.conftest import TOPICS


async def spill(folder: Path, appends: int | None) -> None:
    broker = MemoryLog(TOPICS)
    broker.unavailable = "there is no broker"
    log = SpillingLog(broker, folder, SystemClock())
    done = 0
    while done != appends:
        await log.append([NewRecord("facts", f"{os.getpid()}-{done}-{half}".encode(), b"v" * 500) for half in "ab"])
        done += 1
        print(done, flush=True)
    await log.close()


set_up()  # standard output is for the count alone
asyncio.run(spill(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
