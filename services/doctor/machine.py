"""Of this machine: the port, the data folder, the room on its disk. Nothing is made or changed."""

import asyncio
import json
import os
import shutil
import socket
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from shared.data_folder import DataFolderError, refuse_private_home, resolved
from shared.findings import Finding
from shared.settings import Settings

_ANSWER_SECONDS = 8.0
_GIBIBYTE = 1024**3
_LEAST_BYTES = 512 * 1024 * 1024
_ENOUGH_BYTES = 5 * _GIBIBYTE


async def port(settings: Settings, usual: int) -> Finding:
    """What `petla up` would meet there."""
    host, number = settings.host, settings.port or usual
    return await asyncio.to_thread(_port, host, number)


def _port(host: str, number: int) -> Finding:
    if _is_free(host, number):
        return Finding("ok", "port", f"{number} on {host} is free, nothing runs there")
    try:
        with build_opener(ProxyHandler({})).open(f"http://{_reachable(host)}:{number}/readyz", timeout=_ANSWER_SECONDS):
            return Finding("ok", "port", f"Pętla answers on {number} and is ready")
    except HTTPError as error:
        return _unready(number, error)
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        return Finding(
            "fail", "port", f"{number} on {host} is taken and does not answer ({reason}): free it, or --port"
        )


def _is_free(host: str, number: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError:
            return False
        return True


def _unready(number: int, error: HTTPError) -> Finding:
    try:
        checks: dict[str, str] = json.loads(error.read())["checks"]
    except (ValueError, KeyError, OSError):
        return Finding("fail", "port", f"another program answers on {number}: free it, or choose another with --port")
    wrong = "; ".join(f"{name}: {state}" for name, state in checks.items() if state != "ok")
    return Finding("warn", "port", f"Pętla answers on {number} and is not ready: {wrong}")


def _reachable(host: str) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def data_folder(settings: Settings) -> Finding:
    try:
        folder = resolved(settings.data)
        refuse_private_home(folder)
    except DataFolderError as error:
        return Finding("fail", "data folder", str(error))
    there = _existing(folder)
    if not (there.is_dir() and os.access(there, os.R_OK | os.W_OK | os.X_OK)):
        return Finding("fail", "data folder", f"{there} cannot be written: allow it, or name another with --data")
    if not folder.exists():
        return Finding("ok", "data folder", f"{folder} is not there yet: the first start makes it")
    return Finding("ok", "data folder", f"{folder} can be written")


def disk(settings: Settings) -> Finding:
    there = _existing(resolved(settings.data))
    return judged_disk(there, shutil.disk_usage(there).free)


def judged_disk(place: Path, free: int) -> Finding:
    room = f"{free / _GIBIBYTE:.1f} GiB are free at {place}"
    if free < _LEAST_BYTES:
        return Finding("fail", "disk", f"{room}: free some space before events are refused")
    if free < _ENOUGH_BYTES:
        return Finding("warn", "disk", f"{room}: a week of the log may not fit")
    return Finding("ok", "disk", room)


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())
