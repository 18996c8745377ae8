"""Bodies made to hurt, at every door of ingest that the framework reads: one clear refusal each, at once, never a 500.

The door of events has its own in tests/ingest/test_refusals.py, the doors of sources theirs in
tests/ingest/webhooks/test_receiving.py.
"""

import gzip
import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.ingest.webhooks.doors import REPAIRS, SECRET, Doors

DOORS = ["POST /v1/sources", "PUT /v1/sources/repairs", "POST /v1/sources/repairs/rotate",
         "POST /v1/sources/repairs/dry-run", "POST /v1/surveys/links"]  # fmt: skip
# One text field that each of them has, and a few that hold none.
FIELD = {"rotate": "secret", "links": "customer", "dry-run": "body", "sources": "document", "repairs": "document"}
SECONDS = 5.0  # much more than it takes: other tests run beside this one

NESTED = b'{"document":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BODIES = {
    "NaN": b'{"name": "new", "FIELD": NaN}',
    "infinity": b'{"name": "new", "FIELD": -Infinity}',
    "a number too large": b'{"name": "new", "FIELD": 1e400}',
    "4,301 digits": b'{"name": "new", "FIELD": ' + b"9" * 4_301 + b"}",
    "half a surrogate pair": b'{"name": "new", "FIELD": "\\ud800"}',
    "NUL": b'{"name": "new", "FIELD": "a\\u0000b"}',
    "invalid UTF-8": b'{"name": "new", "FIELD": "\xff\xfe"}',
    "an overlong form": b'{"name": "new", "FIELD": "\xc0\xaf"}',
    "UTF-16": '{"name": "generic", "FIELD": "\\u0000"}'.encode("utf-16"),
    "UTF-32": '{"name": "generic", "FIELD": "\\u0000"}'.encode("utf-32-le"),
    "100,000 levels": NESTED,
    "a number for text": b'{"name": "new", "FIELD": 7}',
    "true for text": b'{"name": "new", "FIELD": true}',
    "an unknown field": b'{"name": "new", "tenant_id": 1, "role": "admin"}',
    "__proto__": b'{"name": "new", "__proto__": {"admin": true}}',
    "a list": b"[]",
    "nothing": b"",
    "10 MB of text": b'{"name": "new", "FIELD": "' + b"x" * 10_000_000 + b'"}',
    "a million keys": b"{" + b",".join(b'"%d":0' % number for number in range(1_000_000)) + b"}",
    "compressed": gzip.compress(b'{"name": "new"}'),
}
LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 25))
DOCUMENTS = {
    "aliases that multiply": LAUGHS,
    "10,000 levels": "[" * 10_000 + "]" * 10_000,
    "an object of Python": "!!python/object/apply:os.system ['true']",
    "an expression of 10 kB": REPAIRS.replace("when: internal", f'when: "{"a." * 5_000}b"'),
    "an expression of 900 levels": REPAIRS.replace("when: internal", f'when: "{"!(" * 900}a{")" * 900}"'),
    "a regular expression": REPAIRS.replace("when: internal", "when: \"matches(event, '(a+)+$')\""),
    "the same key twice": REPAIRS.replace("version: 1", "version: 1\nversion: 2"),
}


@pytest.fixture(scope="module")
async def doors() -> AsyncIterator[Doors]:
    running = Doors({"PETLA_SOURCE_REPAIRS_SECRET": SECRET})
    await running.start()
    await running.add("repairs")
    running.key = await running.new_key("desk", "admin")
    yield running
    await running.stop()


async def sent(doors: Doors, door: str, body: bytes, **headers: str) -> httpx.Response:
    method, path = door.split()
    given = {"Authorization": f"Bearer {doors.key}", "Content-Type": "application/json", **headers}
    begun = time.monotonic()
    response = await doors.request(method, path, content=body, headers=given)
    assert time.monotonic() - begun < SECONDS
    return response


def assert_refused(response: httpx.Response) -> None:
    assert response.status_code in (400, 413, 415, 422), response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]
    assert len(response.content) < 10_000


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("bomb", BODIES)
async def test_a_body_is_refused(doors: Doors, door: str, bomb: str) -> None:
    body = BODIES[bomb].replace(b"FIELD", FIELD[door.rsplit("/")[-1]].encode())
    headers = {"Content-Encoding": "gzip"} if bomb == "compressed" else {}
    assert_refused(await sent(doors, door, body, **headers))


@pytest.mark.parametrize("bomb", DOCUMENTS)
async def test_a_document_is_refused(doors: Doors, bomb: str) -> None:
    text = DOCUMENTS[bomb]
    for door in ("PUT /v1/sources/repairs", "POST /v1/sources/repairs/dry-run"):
        assert_refused(await sent(doors, door, json.dumps({"document": text}).encode()))
    new = {"name": "new", "document": text.replace("source: repairs", "source: new")}
    assert_refused(await sent(doors, "POST /v1/sources", json.dumps(new).encode()))


@pytest.mark.parametrize(
    "body", [NESTED.decode(), "\ufeff{}", "[" * 500_000, '{"a": NaN}', '{"a": 1e400}', '{"a": "\\ud800"}', "\x7f" * 100]
)
async def test_a_delivery_that_is_tried_may_be_anything(doors: Doors, body: str) -> None:
    tried = {"body": body, "headers": {"x-repair-signature": "sha256=ąę\x7f", "content-type": "application/json"}}
    response = await sent(doors, "POST /v1/sources/repairs/dry-run", json.dumps(tried).encode())
    assert response.status_code == 200, response.text[:300]
    told = response.json()
    assert told["verified"] is False
    assert not told.get("events")
