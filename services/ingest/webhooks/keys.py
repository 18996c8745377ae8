"""A source's secrets as keys that say whether a signature is theirs, in the same time for any signature."""

import base64
import binascii
import hashlib
import hmac
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from services.ingest.webhooks.schemes import Scheme, Spelling

_ED25519_BYTES = 32
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha512": hashes.SHA512,
}
_Matches = Callable[[bytes, bytes], bool]  # signature, what was signed


NO_SECRET = (
    "this source has no secret of its own: its sender uses a key of Pętla's, which"
    " `petla keys create --source NAME --scope events:write` makes"
)


@dataclass(frozen=True)
class Key:
    """`secret` stands in what is signed where the scheme is a digest; in a token or a login it is all there is."""

    secret: bytes = field(repr=False)
    matches: _Matches = field(repr=False)


class KeyUnusableError(ValueError):
    """Why a secret cannot be a key of the scheme; the sentence repeats nothing of it."""


def keys_of(scheme: Scheme, secrets: Sequence[str]) -> tuple[Key, ...]:
    """Those of the secrets that are of this scheme: where a document has several, each secret is of one of them."""
    found = []
    for secret in secrets:
        try:
            found.append(key_of(scheme, secret))
        except KeyUnusableError:
            continue
    return tuple(found)


def key_of(scheme: Scheme, secret: str) -> Key:
    """Raises `KeyUnusableError`."""
    text = secret.strip()
    if text in scheme.spelling.refused:
        raise KeyUnusableError("this secret is a test value that everybody knows: use the sender's own")
    match scheme.kind:
        case "hmac":
            return _hmac(_decoded(text, scheme.spelling), scheme.algorithm)
        case "digest":
            return _digest(_decoded(text, scheme.spelling), scheme.algorithm)
        case "token":
            return _equal(_decoded(text, scheme.spelling))
        case "basic":
            return _equal(b"Basic " + base64.b64encode(_decoded(text, scheme.spelling)))
        case "ed25519":
            return _verifying(_ed25519(text, scheme.spelling), b"")
        case "rsa":
            return _rsa(text, scheme)
        case "ecdsa":
            return _ecdsa(text, scheme)
    raise KeyUnusableError(NO_SECRET)


def _hmac(secret: bytes, algorithm: str) -> Key:
    keyed = hmac.new(secret, digestmod=algorithm)  # begun once: to look the algorithm up costs as much as a short body

    def matches(signature: bytes, signed: bytes) -> bool:
        made = keyed.copy()
        made.update(signed)
        return hmac.compare_digest(made.digest(), signature)

    return Key(secret, matches)


def _digest(secret: bytes, algorithm: str) -> Key:
    def matches(signature: bytes, signed: bytes) -> bool:
        return hmac.compare_digest(hashlib.new(algorithm, signed).digest(), signature)

    return Key(secret, matches)


def _equal(secret: bytes) -> Key:
    return Key(secret, lambda signature, _: hmac.compare_digest(secret, signature))


def _verifying(check: Callable[[bytes, bytes], None], secret: bytes) -> Key:
    def matches(signature: bytes, signed: bytes) -> bool:
        try:
            check(signature, signed)
        except InvalidSignature:
            return False
        return True

    return Key(secret, matches)


def _rsa(text: str, scheme: Scheme) -> Key:
    public = _public_key(text, scheme.spelling)
    if not isinstance(public, RSAPublicKey):
        raise KeyUnusableError("the secret is no RSA public key: paste the sender's, in PEM")
    algorithm = _HASHES[scheme.algorithm]()
    return _verifying(lambda signature, signed: public.verify(signature, signed, PKCS1v15(), algorithm), b"")


def _ecdsa(text: str, scheme: Scheme) -> Key:
    public = _public_key(text, scheme.spelling)
    if not isinstance(public, EllipticCurvePublicKey):
        raise KeyUnusableError("the secret is no elliptic curve public key: paste the sender's, in PEM")
    algorithm = ECDSA(_HASHES[scheme.algorithm]())
    return _verifying(lambda signature, signed: public.verify(signature, signed, algorithm), b"")


def _ed25519(text: str, spelling: Spelling) -> Callable[[bytes, bytes], None]:
    raw = _unarmoured(text, spelling)
    if len(raw) == _ED25519_BYTES:
        return Ed25519PublicKey.from_public_bytes(raw).verify
    public = _loaded(raw)
    if not isinstance(public, Ed25519PublicKey):
        raise KeyUnusableError("the secret is no Ed25519 public key: paste the sender's")
    return public.verify


def _public_key(text: str, spelling: Spelling) -> object:
    return _loaded(_unarmoured(text, spelling))


def _loaded(raw: bytes) -> object:
    try:
        return load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusableError("the secret is no public key: paste the sender's, in PEM") from None


def _unarmoured(text: str, spelling: Spelling) -> bytes:
    """Vendors label PEM wrongly and put spaces for line breaks, so only what lies between the lines counts."""
    inner = text.removeprefix(spelling.prefix)
    if "-----" in inner:
        inner = inner.split("-----")[2] if inner.count("-----") >= 4 else ""
    try:
        return base64.b64decode("".join(inner.split()), validate=True)
    except (binascii.Error, ValueError):
        raise KeyUnusableError("the secret is no public key: paste the sender's, in PEM") from None


def _decoded(text: str, spelling: Spelling) -> bytes:
    inner = text.removeprefix(spelling.prefix)
    try:
        match spelling.encoding:
            case "base64":
                decoded = base64.b64decode(inner + "=" * (-len(inner) % 4), validate=True)
            case "hex":
                decoded = bytes.fromhex(inner)
            case "html":
                decoded = html.unescape(inner).encode()
            case _:
                decoded = inner.encode()
    except (binascii.Error, ValueError):
        raise KeyUnusableError(f"the secret is not {spelling.encoding}: copy it again") from None
    if not decoded:
        raise KeyUnusableError("the secret is empty: copy it again")
    return decoded
