"""DATA is made private, and refused in one sentence where it cannot serve."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.data_folder import DataFolderError, default_data, prepare
from tests.data_folders import temporary_data_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has this rule")
not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_folder() as folder:
        yield folder


@pytest.fixture
def closed_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def as_user(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


def test_the_default_is_in_the_users_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/anna")
    as_user(monkeypatch, 1000)
    assert default_data() == Path("/home/anna/.local/share/petla")


def test_the_default_of_root_is_where_the_server_can_go(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 0)
    assert default_data() == Path("/var/lib/petla")


def test_new_folders_are_private(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 1000)
    assert prepare(folder / "new" / "data") == folder / "new" / "data"
    assert (mode(folder / "new"), mode(folder / "new" / "data")) == (0o700, 0o700)


@pytest.mark.usefixtures("closed_umask")
def test_new_folders_of_root_let_the_server_pass(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 0)
    prepare(folder / "new" / "data")
    assert (mode(folder / "new"), mode(folder / "new" / "data")) == (0o711, 0o711)


def test_a_folder_that_was_there_keeps_its_mode(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    folder.chmod(0o750)
    data.chmod(0o755)
    prepare(data)
    assert (mode(folder), mode(data)) == (0o750, 0o755)


def test_links_and_the_home_sign_are_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (folder / "link").symlink_to("real")
    assert prepare(Path("~/link/data")) == folder / "real" / "data"


@pytest.mark.parametrize("below", ["", "data", "much/deeper"])
def test_a_file_in_the_way_is_named(folder: Path, below: str) -> None:
    (folder / "file").touch()
    with pytest.raises(DataFolderError, match=f"cannot be made because {folder / 'file'} is a file: name another"):
        prepare(folder / "file" / below)


def test_a_loop_of_links_is_refused(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    with pytest.raises(DataFolderError, match=f"^The data folder {folder / 'loop'} cannot be"):
        prepare(folder / "loop")


@pytest.mark.parametrize("link", [False, True])
def test_root_is_refused_a_folder_in_its_own_home(folder: Path, monkeypatch: pytest.MonkeyPatch, link: bool) -> None:
    home = folder / "home"
    home.mkdir()
    (folder / "link").symlink_to(home)
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: pwd.struct_passwd(("root", "x", 0, 0, "", str(home), "")))
    as_user(monkeypatch, 0)
    with pytest.raises(
        DataFolderError, match=rf"is under {home}, where PostgreSQL cannot go .* such as /var/lib/petla\.$"
    ):
        prepare((folder / "link" if link else home) / "data")
    assert list(home.iterdir()) == []
    as_user(monkeypatch, 1000)
    prepare(home / "data")


@as_root
def test_a_folder_that_the_system_does_not_make_is_refused() -> None:
    with pytest.raises(DataFolderError, match=r"^The data folder /proc/petla cannot be made \(.+\): name another with"):
        prepare(Path("/proc/petla"))


@not_as_root
def test_a_parent_that_is_read_only_is_refused(folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(DataFolderError, match=r"cannot be made \(Permission denied\): name another with --data"):
        prepare(folder / "data")
    folder.chmod(0o700)


def test_a_folder_that_is_read_only_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, bits: bits & os.W_OK == 0)  # root may write even where mode says no
    with pytest.raises(DataFolderError, match=f"^Pętla cannot write to the data folder {folder}: allow it to, or name"):
        prepare(folder)
