"""Requests that schemathesis derives from an OpenAPI document, sent to an application in this process.

They keep to the document or break one of its rules. Values of `known` come in between, as no generator guesses the
name of a metric. The same document gives the same requests.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from starlette.types import ASGIApp

# A request that keeps to every schema may still break a rule that no schema can say: to refuse it is no defect.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]
_REFUSED = [400, 401, 403, 404, 405, 409, 413, 415, 422]
_MACHINE_IS_BUSY = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
BOUNDED = settings(deadline=None, database=None, derandomize=True, suppress_health_check=_MACHINE_IS_BUSY)


def operations(
    document: Mapping[str, Any],
    examples: int,
    known: Mapping[str, Sequence[str]],
    sampled: Mapping[str, int] | None = None,
) -> Any:
    """`known` has values for parameters, as `path.metric` or `query.from`.

    Each edge of each field is tried once, and `examples` by chance besides; of the operations that are `sampled`
    (their edges are too many) only so many by chance.
    """
    config = {
        "generation": {"deterministic": True, "max-examples": examples, "with-security-parameters": False},
        "checks": {"negative_data_rejection": {"expected-statuses": _REFUSED}},
        "dictionaries": {_name(key): {"values": list(values)} for key, values in known.items()},
        "parameters": {key: {"dictionary": _name(key), "probability": 0.7} for key in known},
        "operations": [_only_by_chance(*one) for one in (sampled or {}).items()],
    }
    return schemathesis.openapi.from_dict(dict(document), config=schemathesis.Config.from_dict(config))


def _only_by_chance(operation: str, examples: int) -> dict[str, Any]:
    return {
        "include-name": operation,
        "phases": {"coverage": {"enabled": False}},
        "generation": {"max-examples": examples},
    }


def _name(key: str) -> str:
    return key.replace(".", "-")


@schemathesis.serializer("application/x-ndjson")
def _lines(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


class Sender:
    """For tests without a loop of their own: the application lives in `loop`, which stands still in between.

    `key` may do everything, `powerless` nothing of what the application offers.
    """

    def __init__(self, app: ASGIApp, key: str, powerless: str, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._headers = bearer(key)
        self._powerless = powerless
        self._loop = loop

    def assert_conforms(self, case: Any) -> None:
        case.validate_response(self.send(case), checks=CHECKS)

    def send(self, case: Any) -> httpx.Response:
        """As it would come over a socket: encoded by another library than ours."""
        sent = case.as_transport_kwargs(base_url="http://localhost", headers=self._headers)
        made = requests.Request(**sent).prepare()
        return self._answer(made.method or "", made.url or "", {**made.headers}, made.body or b"")

    def refusals(self, method: str, path: str) -> list[int]:
        """Statuses for nobody, for a key that is none, and for one that may not."""
        url = "http://localhost" + re.sub(r"{\w+}", "0", path)
        keys: list[dict[str, str]] = [{}, bearer("petla_none_0"), bearer(self._powerless)]
        return [self._answer(method, url, key, b"{}").status_code for key in keys]

    def _answer(self, method: str, url: str, headers: Mapping[str, Any], body: Any) -> httpx.Response:
        async def answered() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport) as client:
                return await client.send(httpx.Request(method, url, headers=headers, content=body))

        return self._loop.run_until_complete(answered())


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
