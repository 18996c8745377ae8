"""Data folders for tests that start a PostgreSQL: within its reach when tests run as root, and always cleaned up."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.postgres_binaries import server_account
from shared.postgres_cluster import Cluster


@contextmanager
def temporary_data_folder(owner: str | None = None) -> Iterator[Path]:
    """An empty folder; at the end every server on a DATA in it is stopped, whoever uses it, and all is removed.

    Not pytest's tmp_path: as root that lies in a folder of mode 0700, where `nobody`'s PostgreSQL cannot go.
    """
    folder = Path(tempfile.mkdtemp(prefix="petla-test-", dir="/tmp"))
    try:
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        if owner is not None:
            os.chown(folder, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
        yield folder
    finally:
        try:
            for left in folder.glob("**/postgres/postmaster.pid"):
                Cluster(left.parent.parent, server_account()).shut_down()
        finally:
            shutil.rmtree(folder)
