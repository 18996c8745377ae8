"""Signatures that others published verify or fail as they say: each through a scheme written as documents write it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from services.ingest.mapping.located import read_yaml
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.schemes import Scheme, compile_verify
from services.ingest.webhooks.verification import Verifier

VECTORS = Path(__file__).parents[4] / "shared" / "payloads" / "signature_vectors.json"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

STANDARD = """
scheme: hmac
encoding: base64
header: [webhook-signature, svix-signature]
signatures: {separator: " ", label: v1, after: ","}
signed: "{header:webhook-id|svix-id}.{timestamp}.{body}"
timestamp: {header: [webhook-timestamp, svix-timestamp], unit: seconds}
secret: {encoding: base64, prefix: whsec_}
"""
TWILIO = """
scheme: hmac
algorithm: sha1
encoding: base64
header: X-Twilio-Signature
signed: "{url}{form}"
body_hash: {parameter: bodySHA256}
"""
ZENDESK = """
scheme: hmac
encoding: base64
header: X-Zendesk-Webhook-Signature
signed: "{timestamp}{body}"
timestamp: {header: X-Zendesk-Webhook-Signature-Timestamp, unit: rfc3339}
"""
SCHEMES = {
    "standard_webhooks": STANDARD,
    "standard_webhooks_asymmetric": STANDARD.replace("hmac", "ed25519").replace("v1", "v1a").replace("whsec", "whpk"),
    "slack_v0": """
scheme: hmac
encoding: hex
header: X-Slack-Signature
prefix: "v0="
signed: "v0:{timestamp}:{body}"
timestamp: {header: X-Slack-Request-Timestamp, unit: seconds}
""",
    "twilio": TWILIO,
    "zendesk": ZENDESK,
    "hub_signature_256": 'scheme: hmac\nencoding: hex\nheader: X-Hub-Signature-256\nprefix: "sha256="\n',
}


def published() -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{VECTORS.name} is not beside the project"))]
    return [pytest.param(one, id=one["id"]) for one in json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]]


def scheme_of(name: str) -> Scheme:
    return compile_verify(read_yaml(SCHEMES[name], "verify.yaml"))[0]


def request_of(vector: dict[str, Any], url: str) -> Request:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    if "form" in vector:
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        return Request("POST", url, headers, urlencode([tuple(pair) for pair in vector["form"]]).encode())
    return Request("POST", url, headers, vector["body"].encode())


def verifier(vector: dict[str, Any]) -> Verifier:
    secret = vector.get("public_key", vector["secret"])
    return Verifier([scheme_of(vector["scheme"])], [secret], lambda _: False)


@pytest.mark.parametrize("vector", published())
def test_a_published_signature_is_judged_as_it_says(vector: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(vector["now"], UTC) if vector.get("now") else NOW
    request = request_of(vector, vector.get("request_url", "https://example.com/webhooks/x"))
    if "now" in vector and vector["now"] is None:  # the digest alone can be checked
        (steps,) = verifier(vector).steps(request, now)
        assert [step.ok for step in steps if step.name == "hmac sha256"] == [vector["valid"]]
        assert verifier(vector).reason(request, now) == "unreadable_timestamp"
        return
    assert verifier(vector).reason(request, now) == (None if vector["valid"] else "bad_signature")


@pytest.mark.parametrize("vector", published())
def test_one_byte_more_in_the_body_is_noticed(vector: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(vector["now"], UTC) if vector.get("now") else NOW
    request = request_of(vector, vector.get("request_url", "https://example.com/webhooks/x"))
    longer = Request("POST", request.url, request.headers, request.body + b" ")
    assert verifier(vector).reason(longer, now) in ("bad_signature", "unreadable_timestamp")
