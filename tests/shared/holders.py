"""Processes for the tests of the embedded PostgreSQL: the others that use it, asked line by line, and the server."""

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from shared.embedded_postgres import EmbeddedPostgres, PostgresError


class Holder:
    """A process that may hold a share in the server on `data`, run as `user` (only root can choose one)."""

    def __init__(self, data: Path, user: str | None = None, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(data), user or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
            start_new_session=True,
        )

    def send(self, verb: str, *arguments: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([verb, *arguments]) + "\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        assert self.process.stdout is not None
        reply = json.loads(self.process.stdout.readline())
        if "refused" in reply:
            raise PostgresError(reply["refused"])
        return reply["result"]

    def ask(self, verb: str, *arguments: str) -> Any:
        self.send(verb, *arguments)
        return self.receive()

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        """Ends it as a crash would: without a release."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def server_process(data: Path) -> psutil.Process | None:
    """The server's process as the system sees it, whatever the code under test believes."""
    own = ["-D", str(data / "postgres")]
    found = {p.pid: p for p in psutil.process_iter(["cmdline", "ppid"]) if (p.info["cmdline"] or [])[1:3] == own}
    servers = [p for p in found.values() if p.info["ppid"] not in found]  # a child bears its name for a moment
    assert len(servers) <= 1, "two servers on one cluster"
    return servers[0] if servers else None


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def running(data: Path) -> psutil.Process:
    process = server_process(data)
    assert process is not None
    return process


def kill(data: Path) -> psutil.Process:
    server = running(data)
    server.kill()
    psutil.wait_procs([server])
    return server


def answer(postgres: EmbeddedPostgres, verb: str, *arguments: str) -> Any:
    match verb:
        case "start":
            return postgres.start().url(*arguments)
        case "create_database":
            return postgres.create_database(*arguments)
        case "release":
            return postgres.release()
    raise AssertionError(f"unexpected {verb}")


def serve(data: Path, user: str) -> None:
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    postgres = EmbeddedPostgres(data)
    for line in sys.stdin:
        try:
            reply = {"result": answer(postgres, *json.loads(line))}
        except PostgresError as error:
            reply = {"refused": str(error)}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
