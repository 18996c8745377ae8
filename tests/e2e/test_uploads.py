"""A file from a page on real processes: it counts once in the numbers, also when the server is killed on the way."""

import re
from typing import Any

import httpx
import pytest

from tests.e2e.processes import Installation, Server, temporary_installation, until

pytestmark = pytest.mark.slow

ROOT = "/sources/upload"
ROWS = 20_000
TABLE = "Numer;Miara;Ocena;Komentarz\r\n" + "".join(f"{n};nps;{n % 11};Opinia {n}\r\n" for n in range(ROWS))


class Person:
    """In a browser: the key is the password, forms come from the page."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self._key = key

    def get(self, path: str) -> str:
        return self._request("GET", path, 200).text

    def post(self, path: str, **more: Any) -> str:
        """Where it leads."""
        return self._request("POST", path, 303, **more).headers["location"].partition("?")[0]

    def _request(self, method: str, path: str, status: int, **more: Any) -> httpx.Response:
        headers = {"Accept": "text/html", "Origin": self.server.url}
        response = httpx.request(
            method,
            self.server.url + path,
            auth=("anna", self._key),
            headers=headers,
            trust_env=False,
            timeout=60,
            **more,
        )
        assert response.status_code == status, response.text
        return response

    def begun(self) -> str:
        path = self.post(ROOT, files={"file": ("answers.csv", TABLE.encode())}, data={"document": "answers"})
        assert "Pierwsze 1" in self.get(path + "?lang=pl")
        return self.post(f"{path}/start")

    def heading(self, path: str) -> str:
        found = re.search(r"<h1[^>]*>([^<]+)</h1>", self.get(path + "?lang=en"))
        assert found
        return found[1]


def answers(server: Server, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    found = httpx.get(f"{server.url}/v1/metrics/nps", headers=headers, trust_env=False).json()
    return int(found["n"])


def rows_done(person: Person, path: str) -> bool:
    return bool(re.search(r"[1-9][\d,]*\N{NO-BREAK SPACE}rows done", person.get(path + "?lang=en")))


def test_a_file_counts_once_though_the_server_is_killed_on_the_way() -> None:
    with temporary_installation() as installation:
        server = installation.up()
        key = installation.create_key("events:write", "metrics:read")["key"]
        person = Person(server, key)
        path = person.begun()
        until(lambda: rows_done(person, path), 60, "the first rows")
        server.kill()
        person.server = server = again(installation, server)
        assert person.heading(path) in ("Loading", "Loading was interrupted", "Loaded")
        until(lambda: person.heading(path) != "Loading", 120, "an end")
        if person.heading(path) != "Loaded":
            person.post(f"{path}/start")
            until(lambda: person.heading(path) == "Loaded", 120, "the end")
        until(lambda: answers(server, key) == ROWS, 60, "every answer")
        path = person.begun()
        until(lambda: person.heading(path) == "Loaded", 120, "the end of the same file once more")
        until(lambda: balanced(server, key), 60, "the reconciliation")
        assert answers(server, key) == ROWS


def again(installation: Installation, server: Server) -> Server:
    return installation.up(port=server.port)


def balanced(server: Server, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    found = httpx.get(f"{server.url}/v1/reconciliation", headers=headers, trust_env=False).json()
    return bool(found["settled"] and found["balanced"])
