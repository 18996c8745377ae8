"""Of the spill: what waits on this disk for Kafka, what Kafka refuses, what the disk has spoiled."""

import os
from pathlib import Path

from shared.findings import Finding
from shared.log.port import LogUnavailable
from shared.log.spill_folder import waiting_in


def looked_at(folder: Path) -> list[Finding]:
    """`folder` need not be there."""
    if folder.exists() and not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
        return [Finding("fail", "spill", f"{folder} cannot be written: make it a folder that ingest may write to")]
    try:
        waiting, refused = waiting_in(folder), waiting_in(folder / "refused")
    except LogUnavailable as error:
        return [Finding("fail", "spill", f"{error}: its records are not sent, see 'damaged' in docs/operations.md")]
    return judged(waiting, refused, len(list((folder / "damaged").glob("*.db"))))


def judged(waiting: int, refused: int, damaged: int) -> list[Finding]:
    found = []
    if refused:
        found.append(
            Finding(
                "warn",
                "spill",
                f"Kafka refuses {refused} events for their size: raise max.message.bytes, send them again",
            )
        )
    if damaged:
        found.append(Finding("warn", "spill", f"{damaged} files were damaged and set aside: check this disk"))
    if waiting:
        found.append(
            Finding(
                "warn", "spill", f"{waiting} events wait for Kafka: keep ingest running, they are sent when it is back"
            )
        )
    return found or [Finding("ok", "spill", "nothing waits for Kafka on this disk")]
