"""How much waits in a folder of spill files, for whoever only looks: nothing is locked, taken over or changed."""

import sqlite3
from pathlib import Path

from shared.log.port import LogUnavailable


def waiting_in(folder: Path) -> int:
    """Records in all spill files of a folder, for whoever only looks. `LogUnavailable` where one cannot be read."""
    return sum(_waiting_in_file(path) for path in sorted(folder.glob("*.db")))


def _waiting_in_file(path: Path) -> int:
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path} cannot be read: {error}") from error
    try:
        return int(connection.execute("SELECT count(*) FROM record").fetchone()[0])
    except sqlite3.Error as error:
        raise LogUnavailable(f"{path} cannot be read: {error}") from error
    finally:
        connection.close()
