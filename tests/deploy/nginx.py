"""The proxy's real configuration in the real nginx, in a folder of its own; what needs it skips where there is none."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.data_folders import temporary_data_folder
from tests.e2e.processes import PROJECT, free_port, until

TEMPLATE = PROJECT / "deploy" / "proxy" / "nginx.conf.template"
START_SECONDS = 10.0


@dataclass
class Nginx:
    process: "subprocess.Popen[bytes]"
    port: int
    tls: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        assert self.process.poll() is None, f"nginx ended: {self.log.read_text('utf-8')}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def rendered(values: Mapping[str, str]) -> str:
    """As nginx's image does it: names that begin with PROXY_ and nothing else."""
    return re.sub(r"\$\{(PROXY_\w+)\}", lambda found: values[found[1]], TEMPLATE.read_text(encoding="utf-8"))


@contextmanager
def running_nginx(services: Mapping[str, int], tls: str = "") -> Iterator[Nginx]:
    """In front of `services` on these ports of this machine; `tls` is what its tls.conf says, after its own folder."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("there is no nginx on this machine: on Debian, apt install nginx-light")
    with temporary_data_folder() as folder:
        port = free_port()
        values = {f"PROXY_{name.upper()}": f"127.0.0.1:{at}" for name, at in services.items()}
        values.setdefault("PROXY_UPLOADS", values["PROXY_INGEST"])
        values |= {"PROXY_LISTEN": f"127.0.0.1:{port}", "PROXY_RESOLVER": "127.0.0.1", "PROXY_TLS": str(folder)}
        if tls:
            (folder / "tls.conf").write_text(tls.replace("/etc/nginx/tls", str(folder)), encoding="utf-8")
        (folder / "nginx.configuration").write_text(rendered(values), encoding="utf-8")
        yield from _running(program, folder, port)


def _running(program: str, folder: Path, port: int) -> Iterator[Nginx]:
    words = [program, "-p", f"{folder}/", "-c", f"{folder}/nginx.configuration", "-e", "stderr", "-g", "daemon off;"]
    log = folder / "nginx.log"
    with log.open("ab") as output:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        nginx = Nginx(process, port, folder, log)
        until(nginx.answers, START_SECONDS, "nginx answering")
        yield nginx
    finally:
        process.terminate()
        process.wait(START_SECONDS)
