"""Each built-in source takes what its sender signs, by the sender's formula written here with the standard library."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256

import pytest

from services.ingest.webhooks.request import Request
from services.ingest.webhooks.verification import Verifier
from tests.ingest.sources.mapped import document

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = '{"id": 1, "note": "zażółć"}'.encode()
URL = "https://petla.example.com/webhooks/x?shop=1"
STANDARD = "whsec_" + b64encode(b"k" * 24).decode()
Sign = Callable[[str, bytes], dict[str, str]]


def _base64(secret: str, signed: bytes) -> str:
    return b64encode(hmac.digest(secret.encode(), signed, sha256)).decode()


def _standard(secret: str, body: bytes) -> dict[str, str]:
    key = b64decode(secret.removeprefix("whsec_"))
    signature = b64encode(hmac.digest(key, f"msg_1.{STAMP}.".encode() + body, sha256)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": STAMP, "webhook-signature": f"v1,c3RhbGU= v1,{signature}"}


def _chatwoot(secret: str, body: bytes) -> dict[str, str]:
    digest = hmac.new(secret.encode(), f"{STAMP}.".encode() + body, sha256).hexdigest()
    return {"x-chatwoot-timestamp": STAMP, "x-chatwoot-signature": f"sha256={digest}"}


def _zendesk(secret: str, body: bytes) -> dict[str, str]:
    at = "2026-11-22T12:00:00Z"
    signature = _base64(secret, at.encode() + body)
    return {"x-zendesk-webhook-signature-timestamp": at, "x-zendesk-webhook-signature": signature}


def _twilio(secret: str, body: bytes) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), URL.encode() + b"CallSidCA1To+48", sha1)
    return {"x-twilio-signature": b64encode(digest).decode(), "content-type": "application/x-www-form-urlencoded"}


SIGNED: dict[str, tuple[str, bytes, Sign]] = {
    "shopify": ("s3cret", BODY, lambda secret, body: {"x-shopify-hmac-sha256": _base64(secret, body)}),
    "woocommerce": ("s3cret", BODY, lambda secret, body: {"x-wc-webhook-signature": _base64(secret, body)}),
    "typeform": ("s3cret", BODY, lambda secret, body: {"typeform-signature": f"sha256={_base64(secret, body)}"}),
    "zammad": (
        "s3cret",
        BODY,
        lambda secret, body: {"x-hub-signature": f"sha1={hmac.new(secret.encode(), body, sha1).hexdigest()}"},
    ),
    "formbricks": (STANDARD, BODY, _standard),
    "standard-webhooks": (STANDARD, BODY, _standard),
    "chatwoot": ("s3cret", BODY, _chatwoot),
    "zendesk": ("s3cret", BODY, _zendesk),
    "twilio": ("s3cret", b"To=%2B48&CallSid=CA1", _twilio),
}
STAMPED = ("formbricks", "standard-webhooks", "chatwoot", "zendesk")


def reason(name: str, secrets: list[str], *, body: bytes | None = None, now: datetime = NOW) -> str | None:
    secret, sent, sign = SIGNED[name]
    request = Request("POST", URL, {"content-type": "application/json"} | sign(secret, sent), body or sent)
    return Verifier(document(name).schemes, secrets, lambda _: False).reason(request, now)


@pytest.mark.parametrize("name", SIGNED)
def test_what_the_sender_signs_is_taken(name: str) -> None:
    assert reason(name, [SIGNED[name][0]]) is None


@pytest.mark.parametrize("name", SIGNED)
def test_while_a_secret_is_rotated_both_are_taken(name: str) -> None:
    other = "whsec_" + b64encode(b"o" * 24).decode()
    assert reason(name, [other, SIGNED[name][0]]) is None
    assert reason(name, [other]) is not None


@pytest.mark.parametrize("name", SIGNED)
def test_another_body_is_not(name: str) -> None:
    assert reason(name, [SIGNED[name][0]], body=SIGNED[name][1] + b"&x=1") is not None


@pytest.mark.parametrize("name", STAMPED)
def test_a_recording_is_refused_after_five_minutes(name: str) -> None:
    assert reason(name, [SIGNED[name][0]], now=NOW + timedelta(seconds=299)) is None
    assert reason(name, [SIGNED[name][0]], now=NOW + timedelta(seconds=301)) is not None


def test_a_secret_that_everybody_knows_is_none() -> None:
    known = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
    request = Request("POST", URL, _zendesk(known, BODY), BODY)
    assert Verifier(document("zendesk").schemes, [known], lambda _: False).reason(request, NOW) is not None
