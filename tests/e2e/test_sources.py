"""A shop's own source on real processes: added by the command, signed deliveries scored, a mended mapping replayed."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.client import usable_key
from tests.e2e.processes import Installation, Server, until
from tests.ingest.webhooks.doors import BODY, REPAIRS

pytestmark = pytest.mark.slow
SECRET = "a secret of the repair shop"
WINDOW = {"from": "2026-11-01", "to": "2026-12-01"}


def command(installation: Installation, *words: str) -> Any:
    done = installation.command(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def deliver(server: Server, body: dict[str, Any], secret: str = SECRET) -> int:
    content = json.dumps(body).encode()
    signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    headers = {"X-Repair-Signature": f"sha256={signature}", "Content-Type": "application/json"}
    url = f"{server.url}/webhooks/repairs"
    return httpx.post(url, content=content, headers=headers, timeout=10, trust_env=False).status_code


def test_deliveries_are_scored_and_a_mended_mapping_replaces_them(either: Installation, tmp_path: Path) -> None:
    document = tmp_path / "repairs.yaml"
    document.write_text(REPAIRS)
    server = either.up()
    key = usable_key(either, server.url)

    def get(path: str, **query: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.get(f"{server.url}{path}", params=query, headers=headers, timeout=10, trust_env=False)
        return answer.raise_for_status().json()

    def settled(n: int, metric: str) -> Any:
        def look() -> Any:
            books = get("/v1/reconciliation")
            found = get(f"/v1/metrics/{metric}", **WINDOW)
            return found if books["settled"] and books["balanced"] and found["n"] == n else None

        return until(look, 30, f"{n} answers of {metric}")

    added = command(either, "sources", "add", "repairs", "--document", str(document), "--secret", SECRET)
    assert (added["version"], added["origin"], added["secrets"]) == (1, "api", 1)
    until(lambda: deliver(server, BODY) == 202, 10, "the source in force")
    assert deliver(server, BODY) == 202
    assert deliver(server, BODY, "wrong") == 401
    server.kill()
    server = either.up(port=server.port)
    assert deliver(server, BODY) == 202
    assert settled(2, "csat")["histogram"] == {"2": 1, "5": 1}
    (followup,) = get("/v1/followups")["items"]
    assert (followup["customer"], followup["score"]) == ("9", 2)

    document.write_text(REPAIRS.replace("score: item.stars", "score: item.stars || `1`").replace("'csat'", "'rating'"))
    assert command(either, "sources", "add", "repairs", "--document", str(document))["version"] == 2
    words = ("replay", "--source", "repairs", "--since", "2026-01-01", "--url", server.url, "--key", key)
    tried = command(either, *words, "--dry-run")
    assert (tried["changed"], tried["added"], tried["retracted"], tried["followups"]) == (2, 0, 0, 1)
    uncounted = command(either, *words[:-1], "petla_nobody_x", "--dry-run")  # what was replayed is told all the same
    assert uncounted == tried | {"followups": None}
    assert get("/v1/metrics/csat", **WINDOW)["n"] == 2
    command(either, *words)
    assert settled(2, "rating")["histogram"] == {"2": 1, "5": 1}
    assert get("/v1/metrics/csat", **WINDOW)["n"] == 0
    again = command(either, *words)
    assert (again["changed"], again["unchanged"]) == (0, 2)

    mended = document.read_text().replace("where: item.stars", "where: item.stars > `4`")
    document.write_text(mended)
    command(either, "sources", "add", "repairs", "--document", str(document))
    assert command(either, *words)["retracted"] == 1
    assert settled(1, "rating")["histogram"] == {"5": 1}
    until(lambda: get("/v1/followups")["items"][0]["state"] == "withdrawn", 20, "the follow-up withdrawn")
    kept = [path for path in either.data.rglob("*") if path.is_file() and "postgres" not in path.parts]
    assert kept
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in kept)


def test_a_folder_of_documents_is_read_at_the_start(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "repairs.yaml").write_text(REPAIRS)
    server = installation.up(PETLA_SOURCES=str(tmp_path), PETLA_SOURCE_REPAIRS_SECRET=SECRET)
    assert deliver(server, BODY) == 202
    server.terminate()
    (tmp_path / "repairs.yaml").write_text(REPAIRS.replace("emit:", "emitt:"))
    refused = installation.command("up", "--port", str(server.port), "--sources", str(tmp_path))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"petla: {tmp_path}/repairs.yaml:26: ")
    assert refused.stderr.count("\n") == 1
