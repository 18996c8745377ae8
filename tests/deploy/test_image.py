"""The image is pinned and without root, and what it is built of is all that Pętla needs."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.healthcheck import is_healthy
from tests.e2e.processes import PROJECT, free_port

DOCKERFILE = (PROJECT / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
IGNORE = (PROJECT / ".dockerignore").read_text(encoding="utf-8").split("\n")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def copied() -> list[str]:
    """What of the project goes in."""
    return [word for line in instructions("COPY") if "--from" not in line for word in line.split()[:-1]]


def test_the_base_is_pinned_to_a_patch_and_the_same_everywhere() -> None:
    bases = {line.split()[0] for line in instructions("FROM")}
    assert len(bases) == 1
    (base,) = bases
    assert re.fullmatch(r"python:3\.1[23]\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)


def test_what_is_installed_has_a_hash_and_is_not_built() -> None:
    installs = [line for line in instructions("RUN") if "install -" in line and "pip" in line]
    assert ["--require-hashes" in line and "--only-binary=:all:" in line for line in installs] == [True, False]
    assert "--no-deps --no-build-isolation" in installs[1]  # Pętla itself fetches nothing


def test_it_runs_as_nobody_special_and_says_how_it_is() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("VOLUME") == ["/var/lib/petla"]
    assert instructions("ENTRYPOINT") == ['["petla"]']
    assert 'CMD ["python", "deploy/healthcheck.py"]' in instructions("HEALTHCHECK")[0]
    after_the_user = DOCKERFILE.split("\nUSER ")[1]
    assert "\nRUN" not in after_the_user
    assert "\nCOPY" not in after_the_user


def test_the_build_sees_what_is_copied_and_nothing_else() -> None:
    assert IGNORE[1] == "*"
    assert {line[1:] for line in IGNORE if line.startswith("!")} == set(copied())


@pytest.mark.parametrize("name", copied())
def test_what_is_copied_is_there(name: str) -> None:
    assert (PROJECT / name).exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Pętla as the image installs it, from a copy of what the build sees."""
    folder = tmp_path_factory.mktemp("build")
    for name in copied():
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif "/" not in name:
            shutil.copy(PROJECT / name, folder)
    words = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*words, "--no-build-isolation", "--wheel-dir", folder / "made", folder], check=True, timeout=120)
    (made,) = (folder / "made").iterdir()
    with zipfile.ZipFile(made) as opened:
        yield opened


@pytest.mark.slow
def test_every_file_of_the_code_is_installed(wheel: zipfile.ZipFile) -> None:
    files = {
        str(path.relative_to(PROJECT))
        for folder in ("services", "shared")
        for path in (PROJECT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - set(wheel.namelist()) == set()


@pytest.mark.slow
def test_nothing_else_is_installed(wheel: zipfile.ZipFile) -> None:
    assert {Path(name).parts[0] for name in wheel.namelist() if ".dist-info" not in name} == {"services", "shared"}


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_asks_the_process(status: int, healthy: bool) -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the library calls it
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        assert is_healthy(server.server_port) is healthy
        thread.join()
    assert asked == ["/healthz"]


def test_nobody_there_is_not_healthy() -> None:
    assert not is_healthy(free_port())
