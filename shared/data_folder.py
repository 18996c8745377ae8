"""DATA, the folder that holds everything an embedded Pętla keeps: made private, or refused before anything is written.

No folder that was there before is ever changed. As root, the folders made here let other users pass through
(mode 0711), because the embedded PostgreSQL then runs as `nobody` inside them; otherwise they are 0700.
"""

import os
import pwd
from pathlib import Path


class DataFolderError(Exception):
    """One sentence for the user: which folder, why not, and what to change."""


def default_data() -> Path:
    return Path("/var/lib/petla") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "petla"


def prepare(data: Path) -> Path:
    """DATA as an absolute path without links, made with its missing parents; DataFolderError when it cannot serve."""
    folder = resolved(data)
    refuse_private_home(folder)
    try:
        make(folder)
    except OSError as error:
        raise DataFolderError(
            f"The data folder {folder} cannot be made ({error.strerror}): name another with --data or PETLA_DATA."
        ) from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise DataFolderError(
            f"Pętla cannot write to the data folder {folder}: allow it to, or name another with --data or PETLA_DATA."
        )
    return folder


def resolved(data: Path) -> Path:
    try:
        return data.expanduser().resolve()
    except (OSError, RuntimeError) as error:  # a loop of links; a home of nobody
        raise DataFolderError(
            f"The data folder {data} cannot be found ({error}): name another with --data or PETLA_DATA."
        ) from error


def refuse_private_home(folder: Path) -> None:
    home = Path(pwd.getpwuid(0).pw_dir).resolve()
    # A root without a home of its own has "/", which every folder is under.
    if os.geteuid() == 0 and home != Path("/") and folder.is_relative_to(home):
        raise DataFolderError(
            f"The data folder {folder} is under {home}, where PostgreSQL cannot go (it never runs as root):"
            " name another with --data or PETLA_DATA, such as /var/lib/petla."
        )


def make(folder: Path) -> None:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir():
        raise DataFolderError(
            f"The data folder {folder} cannot be made because {there} is a file:"
            " name another with --data or PETLA_DATA."
        )
    missing = [parent for parent in (folder, *folder.parents) if parent.is_relative_to(there) and parent != there]
    for new in reversed(missing):
        new.mkdir(mode=0o700, exist_ok=True)  # another process may be making it too
        if os.geteuid() == 0:
            new.chmod(0o711)  # whatever the umask
