"""Whether a delivery comes from its sender, over the bytes as they came. Whatever it holds, the answer is a reason.

The reason is one of `REASONS`; None says that it holds.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.ingest.webhooks.keys import Key, keys_of
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.schemes import SHARED, Scheme, Timestamp

# From the nearest to the farthest: of several schemes, the one that came farthest tells why it failed.
REASONS = {
    "no_secret": "this source has no secret yet: `petla sources rotate NAME` gives it one",
    "no_signature": "the header with the signature or the key is missing",
    "unreadable_signature": "the header does not hold a signature of the form that this source has",
    "no_timestamp": "the time at which it was signed is missing",
    "unreadable_timestamp": "the time at which it was signed is not readable",
    "stale_timestamp": "it was signed too long ago, or in the future: check the clock, or it is a replay",
    "unsigned_body": "the body is not covered by the signature",
    "unknown_key": "this is none of Pętla's API keys with events:write",
    "bad_signature": "the signature is not of this body and one of this source's secrets",
}
_RANKS = {reason: rank for rank, reason in enumerate(REASONS)}
_MOST_SIGNATURES = 20
_LONGEST_HEADER = 8_192
_SHOWN = 400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Knows = Callable[[str], bool]  # whether this is an API key that may send events


class Step(NamedTuple):
    """`name` of what was looked at; `detail` for people, without secrets."""

    name: str
    ok: bool
    detail: str


class Verifier:
    """The schemes of one source with the keys that its secrets are. `knows` is asked for `api_key`."""

    def __init__(self, schemes: Sequence[Scheme], secrets: Sequence[str], knows: Knows) -> None:
        self._keyed = [(scheme, keys_of(scheme, secrets)) for scheme in schemes]
        self._knows = knows

    def reason(self, request: Request, now: datetime) -> str | None:
        """None when one scheme holds."""
        farthest = "no_secret"
        for scheme, keys in self._keyed:
            reason = self._judged(scheme, keys, request, now)
            if reason is None:
                return None
            farthest = max(farthest, reason, key=_RANKS.__getitem__)
        return farthest

    def steps(self, request: Request, now: datetime) -> list[list[Step]]:
        """For each scheme what was looked at, in order."""
        return [self._explained(scheme, keys, request, now) for scheme, keys in self._keyed]

    def _judged(self, scheme: Scheme, keys: Sequence[Key], request: Request, now: datetime) -> str | None:
        if scheme.kind == "api_key":
            return self._api_key(scheme, request)
        if not keys:
            return "no_secret"
        if scheme.kind in SHARED:
            return _shared(scheme, keys, request)
        stamp, signatures = _timestamp(scheme, request), _signatures(scheme, request)
        late = _timeliness(scheme.timestamp, stamp, now)
        return (
            signatures.reason
            or late
            or _body_is_signed(scheme, request)
            or _match(scheme, keys, request, stamp, signatures.found)
        )

    def _api_key(self, scheme: Scheme, request: Request) -> str | None:
        value = request.header(*scheme.headers)
        if not value:
            return "no_signature"
        return None if self._knows(_key_in(value)) else "unknown_key"

    def _explained(self, scheme: Scheme, keys: Sequence[Key], request: Request, now: datetime) -> list[Step]:
        names = " or ".join(scheme.headers)
        if scheme.kind in SHARED:
            reason = self._judged(scheme, keys, request, now)
            return [Step(f"{scheme.kind} in {names}", reason is None, REASONS[reason] if reason else "is right")]
        steps = [Step("secrets", bool(keys), f"{len(keys)} of this scheme" if keys else REASONS["no_secret"])]
        signatures, stamp = _signatures(scheme, request), _timestamp(scheme, request)
        found = f"{len(signatures.found)} of {scheme.encoding}" if signatures.found else REASONS[str(signatures.reason)]
        steps.append(Step(f"signature in {names}", not signatures.reason, found))
        if scheme.timestamp is not None:
            late = _timeliness(scheme.timestamp, stamp, now)
            detail = REASONS[late] if late else f"within {scheme.timestamp.tolerance} s of now"
            steps.append(Step(f"timestamp {stamp!r:.60}", late is None, detail))
        if (unsigned := _body_is_signed(scheme, request)) is not None:
            steps.append(Step("body", False, REASONS[unsigned]))
        renderings = scheme.signed.renderings(request, stamp or "")
        steps += [Step("signed text", True, _excerpt(signed)) for signed in renderings]
        if keys and not signatures.reason:
            reason = _match(scheme, keys, request, stamp, signatures.found)
            described = f"{scheme.kind} {scheme.algorithm}" if scheme.kind != "ed25519" else scheme.kind
            steps.append(Step(described, reason is None, REASONS[reason] if reason else "matches"))
        return steps


class _Signatures(NamedTuple):
    found: tuple[bytes, ...]
    reason: str | None


def _shared(scheme: Scheme, keys: Sequence[Key], request: Request) -> str | None:
    value = request.header(*scheme.headers)
    if not value:
        return "no_signature"
    given = value.removeprefix(scheme.prefix).encode("latin-1", "replace")
    if scheme.prefix and not value.startswith(scheme.prefix):
        return "unreadable_signature"
    tried = [key.matches(given, b"") for key in keys]
    return None if any(tried) else "bad_signature"


def _key_in(value: str) -> str:
    """`Bearer KEY`, `Basic` with the key as user or password, or the key itself."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return value.strip()
    try:
        user, _, password = base64.b64decode(rest.strip(), validate=True).decode("latin-1").partition(":")
    except (binascii.Error, ValueError):
        return ""
    return user if user.startswith("petla_") else password


def _signatures(scheme: Scheme, request: Request) -> _Signatures:
    value = request.header(*scheme.headers)
    if not value:
        return _Signatures((), "no_signature")
    if len(value) > _LONGEST_HEADER:
        return _Signatures((), "unreadable_signature")
    texts = scheme.listed.of(scheme.listed.label, value) if scheme.listed else [value.strip()]
    found = [
        decoded
        for text in texts[:_MOST_SIGNATURES]
        if text.startswith(scheme.prefix)
        and (decoded := _decoded(text.removeprefix(scheme.prefix), scheme.encoding)) is not None
    ]
    return _Signatures(tuple(found), None if found else "unreadable_signature")


def _decoded(text: str, encoding: str) -> bytes | None:
    try:
        if encoding == "hex":
            return bytes.fromhex(text) or None
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _timestamp(scheme: Scheme, request: Request) -> str | None:
    """As it is written; None where it is missing, or where none is asked for."""
    if scheme.timestamp is None:
        return None
    if scheme.timestamp.field is None:
        return request.header(*scheme.timestamp.headers)
    value = request.header(*scheme.headers) or ""
    labelled = scheme.listed.of(scheme.timestamp.field, value[:_LONGEST_HEADER]) if scheme.listed else []
    return labelled[0] if labelled else None


def _timeliness(expected: Timestamp | None, text: str | None, now: datetime) -> str | None:
    if expected is None:
        return None
    if not text:
        return "no_timestamp"
    moment = _moment(text, expected.unit)
    if moment is None:
        return "unreadable_timestamp"
    return "stale_timestamp" if abs(moment - now) > timedelta(seconds=expected.tolerance) else None


def _moment(text: str, unit: str) -> datetime | None:
    try:
        if unit == "rfc3339":
            moment = datetime.fromisoformat(text)
            return moment if moment.tzinfo else None
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            return None
        return _EPOCH + timedelta(**{unit: int(text)})
    except (ValueError, OverflowError):
        return None


def _body_is_signed(scheme: Scheme, request: Request) -> str | None:
    """A signature over an address and a form says nothing of a body that is no form, unless the address names it."""
    if scheme.signed.names_the_body:
        return None
    if request.is_form and scheme.signed.names("form"):
        return None if request.is_readable_form else "unsigned_body"
    if scheme.body_hash is None or scheme.body_hash not in request.query:
        return "unsigned_body" if request.body else None
    named = request.query[scheme.body_hash].lower().encode("latin-1", "replace")
    body = hashlib.sha256(request.body).hexdigest().encode()
    return None if hmac.compare_digest(named, body) else "bad_signature"


def _match(
    scheme: Scheme, keys: Sequence[Key], request: Request, stamp: str | None, signatures: Sequence[bytes]
) -> str | None:
    """Every key is tried on every signature: the time tells nothing of which one it was."""
    tried = [
        key.matches(signature, signed)
        for key in keys
        for signed in scheme.signed.renderings(request, stamp or "", key.secret)
        for signature in signatures
    ]
    return None if any(tried) else "bad_signature"


def _excerpt(signed: bytes) -> str:
    text = signed[:_SHOWN].decode("utf-8", "replace")
    return repr(text) + (f" … {len(signed)} bytes" if len(signed) > _SHOWN else "")
