"""Every scheme takes what its sender signed and nothing else; signatures are made by the libraries, not by us."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.mapping.located import read_yaml
from services.ingest.webhooks.keys import KeyUnusableError, key_of
from services.ingest.webhooks.request import Request
from services.ingest.webhooks.schemes import Scheme, compile_verify
from services.ingest.webhooks.verification import REASONS, Verifier

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BODY = '{"a": "ż"}'.encode()
URL = "https://petla.example.com/webhooks/x"
RSA = rsa.generate_private_key(65_537, 2_048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def pem(key: Any) -> str:
    found: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found.decode()


def mac(secret: bytes, signed: bytes = BODY, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret, signed, algorithm).digest()


def schemes(text: str) -> tuple[Scheme, ...]:
    return compile_verify(read_yaml(text, "verify.yaml"))


def judged(text: str, secrets: list[str], headers: Mapping[str, str], body: bytes = BODY, url: str = URL) -> str | None:
    verifier = Verifier(schemes(text), secrets, lambda _: False)
    request = Request("POST", url, dict(headers), body)
    for steps in verifier.steps(request, NOW):  # what is told holds no secret, whatever was sent
        assert not [secret for secret in secrets if secret and secret in str(steps) and len(secret) > 6]
    return verifier.reason(request, NOW)


HMAC = "scheme: hmac\nencoding: base64\nheader: x-signature\n"
# scheme, secret, headers as the sender sends them
CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    "sha256 in base64": (HMAC, "s3cret", {"x-signature": b64(mac(b"s3cret"))}),
    "sha1 in hex": (
        "scheme: hmac\nalgorithm: sha1\nencoding: hex\nheader: x-hub-signature\nprefix: sha1=\n",
        "s3cret",
        {"x-hub-signature": f"sha1={mac(b's3cret', algorithm='sha1').hex()}"},
    ),
    "sha512 in hex, capitals": (
        "scheme: hmac\nalgorithm: sha512\nencoding: hex\nheader: X-Signature\n",
        "s3cret",
        {"x-signature": mac(b"s3cret", algorithm="sha512").hex().upper()},
    ),
    "a secret in base64": (
        HMAC + "secret: {encoding: base64, prefix: whsec_}\n",
        "whsec_" + b64(b"0123456789"),
        {"x-signature": b64(mac(b"0123456789"))},
    ),
    "a secret in hex": (HMAC + "secret: {encoding: hex}\n", "00ff10", {"x-signature": b64(mac(b"\x00\xff\x10"))}),
    "a secret as WordPress keeps it": (
        HMAC + "secret: {encoding: html}\n",
        "a&amp;b&quot;c",
        {"x-signature": b64(mac(b'a&b"c'))},
    ),
    "a secret of Polish letters": (HMAC, "zażółć", {"x-signature": b64(mac("zażółć".encode()))}),
    "a time in seconds": (
        HMAC + 'signed: "{timestamp}.{body}"\ntimestamp: {header: x-time, unit: seconds}\n',
        "s3cret",
        {"x-time": "1795176000", "x-signature": b64(mac(b"s3cret", b"1795176000." + BODY))},
    ),
    "a time in milliseconds, in the signature's header": (
        "scheme: hmac\nencoding: hex\nheader: x-signature\nsignatures: {separator: ',', label: v1, after: '='}\n"
        'signed: "{timestamp}.{body}"\ntimestamp: {field: t, unit: milliseconds, tolerance: 10}\n',
        "s3cret",
        {"x-signature": f"t=1795176005000,v0=00,v1={mac(b's3cret', b'1795176005000.' + BODY).hex()}"},
    ),
    "a time of RFC 3339 without a separator": (
        HMAC + 'signed: "{timestamp}{body}"\ntimestamp: {header: x-time, unit: rfc3339}\n',
        "s3cret",
        {
            "x-time": "2026-11-20T13:00:00+01:00",
            "x-signature": b64(mac(b"s3cret", b"2026-11-20T13:00:00+01:00" + BODY)),
        },
    ),
    "other headers, the first that is there": (
        HMAC + 'signed: "{header:x-id|x-other-id}:{body}"\n',
        "s3cret",
        {"x-other-id": "7\xe9", "x-signature": b64(mac(b"s3cret", b"7\xe9:" + BODY))},
    ),
    "a plain hash over the secret": (
        'scheme: digest\nalgorithm: sha1\nencoding: hex\nheader: x-sha1\nsigned: "{header:x-id}:{secret}:{body}"\n',
        "long s3cret",
        {"x-id": "4", "x-sha1": hashlib.sha1(b"4:long s3cret:" + BODY).hexdigest()},
    ),
    "RSA": (
        "scheme: rsa\nencoding: base64\nheader: x-signature\n",
        pem(RSA),
        {"x-signature": b64(RSA.sign(BODY, padding.PKCS1v15(), SHA256()))},
    ),
    "RSA with SHA-1 over the body in base64, a key that is labelled wrongly": (
        "scheme: rsa\nalgorithm: sha1\nencoding: base64\nheader: x-signature\nsigned: '{body_base64}'\n",
        pem(RSA).replace("PUBLIC KEY", "RSA PUBLIC KEY").replace("\n", " "),
        {"x-signature": b64(RSA.sign(base64.b64encode(BODY), padding.PKCS1v15(), SHA1()))},
    ),
    "ECDSA": (
        "scheme: ecdsa\nencoding: base64\nheader: x-signature\n",
        pem(CURVE),
        {"x-signature": b64(CURVE.sign(BODY, ec.ECDSA(SHA256())))},
    ),
    "Ed25519, a raw key": (
        "scheme: ed25519\nencoding: hex\nheader: x-signature\nsecret: {prefix: whpk_}\n",
        "whpk_" + b64(EDWARDS.public_key().public_bytes_raw()),
        {"x-signature": EDWARDS.sign(BODY).hex()},
    ),
    "Ed25519, PEM": (
        "scheme: ed25519\nencoding: base64\nheader: x-signature\n",
        pem(EDWARDS),
        {"x-signature": b64(EDWARDS.sign(BODY))},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_its_sender_signed_is_taken(case: str) -> None:
    text, secret, headers = CASES[case]
    assert judged(text, [secret], headers) is None
    assert judged(text, ["another one", secret], headers) is None


@pytest.mark.parametrize("case", CASES)
def test_what_was_altered_is_not(case: str) -> None:
    text, secret, headers = CASES[case]
    assert judged(text, [secret], headers, BODY + b" ") == "bad_signature"
    assert judged(text, [], headers) == "no_secret"
    assert judged(text, [secret], {}) in ("no_signature", "no_timestamp")
    for name in headers:
        without = {key: value for key, value in headers.items() if key != name}
        assert judged(text, [secret], without) is not None


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith(("RSA", "ECDSA", "Ed25519"))])
def test_of_another_secret_it_is_not(case: str) -> None:
    text, secret, headers = CASES[case]
    other = secret[:-2] + ("11" if "hex" in text else "zz")
    assert judged(text, [other], headers) in ("bad_signature", "no_secret")


def test_keys_of_another_kind_are_none() -> None:
    for case in ("RSA", "ECDSA", "Ed25519, PEM"):
        text, _, headers = CASES[case]
        for other in (pem(RSA), pem(CURVE), pem(EDWARDS), "not a key", "-----BEGIN-----"):
            if judged(text, [other], headers) is not None:
                assert judged(text, [other], headers) == "no_secret"


def test_a_token_and_a_login_are_compared_whole() -> None:
    token = "scheme: token\n"
    assert judged(token, ["t0ken"], {"authorization": "Bearer t0ken"}) is None
    assert judged("scheme: token\nheader: x-token\n", ["t0ken"], {"x-token": "t0ken"}) is None
    for wrong in ("Bearer t0ke", "Bearer t0ken2", "t0ken", "bearer t0ken", "Bearer \xff"):
        assert judged(token, ["t0ken"], {"authorization": wrong}) in ("bad_signature", "unreadable_signature")
    login = {"authorization": "Basic " + b64(b"ann:pass:word")}
    assert judged("scheme: basic\n", ["ann:pass:word"], login) is None
    assert judged("scheme: basic\n", ["ann:pass"], login) == "bad_signature"


def test_of_several_schemes_one_is_enough() -> None:
    both = "- " + HMAC.replace("\n", "\n  ").rstrip() + "\n- {scheme: token, header: x-token}\n"
    assert judged(both, ["s3cret"], {"x-signature": b64(mac(b"s3cret"))}) is None
    assert judged(both, ["s3cret"], {"x-token": "s3cret"}) is None
    assert judged(both, ["s3cret"], {"x-token": "other"}) == "bad_signature"
    assert judged(both, ["s3cret"], {}) == "no_signature"


def test_several_signatures_in_one_header_are_all_tried_but_not_without_end() -> None:
    text = HMAC + 'signatures: {separator: " ", label: v1, after: ","}\n'
    right = f"v1,{b64(mac(b's3cret'))}"
    assert judged(text, ["s3cret"], {"x-signature": f"v1,AAAA v2,{right[3:]} {right}"}) is None
    assert judged(text, ["s3cret"], {"x-signature": f"v2,{right[3:]}"}) == "unreadable_signature"
    assert judged(text, ["s3cret"], {"x-signature": "v1,AAAA " * 20 + right}) == "bad_signature"


def test_an_address_and_a_form_do_not_cover_another_body() -> None:
    text = 'scheme: hmac\nencoding: base64\nheader: x-signature\nsigned: "{url}{form}"\nbody_hash: {parameter: sum}\n'
    form = {"content-type": "application/x-www-form-urlencoded"}
    over_url = {"x-signature": b64(mac(b"s3cret", URL.encode()))}
    assert judged(text, ["s3cret"], over_url, b"") is None
    assert judged(text, ["s3cret"], over_url, b"{}") == "unsigned_body"
    summed = f"{URL}?sum={hashlib.sha256(b'{}').hexdigest()}"
    signed = {"x-signature": b64(mac(b"s3cret", summed.encode()))}
    assert judged(text, ["s3cret"], signed, b"{}", summed) is None
    assert judged(text, ["s3cret"], signed, b"{} ", summed) == "bad_signature"
    many = b"&".join(b"a%d=1" % number for number in range(1_001))
    assert judged(text, ["s3cret"], {**over_url, **form}, many) == "unsigned_body"
    fields = {**form, "x-signature": b64(mac(b"s3cret", URL.encode() + b"a1b\xc5\xbc"))}
    assert judged(text, ["s3cret"], fields, b"b=%C5%BC&a=1") is None


@pytest.mark.parametrize(
    ("text", "secret", "words"),
    [
        (HMAC + "secret: {refuse: [known]}\n", "known", "everybody knows"),
        (HMAC + "secret: {encoding: base64}\n", "a b", "not base64"),
        (HMAC + "secret: {encoding: hex}\n", "xyz", "not hex"),
        (HMAC, "  ", "empty"),
        (HMAC + "secret: {prefix: whsec_}\n", "whsec_", "empty"),
        ("scheme: rsa\nencoding: hex\nheader: x\n", pem(CURVE), "no RSA public key"),
        ("scheme: ecdsa\nencoding: hex\nheader: x\n", pem(RSA), "no elliptic curve"),
        ("scheme: ed25519\nencoding: hex\nheader: x\n", "AAAA", "no public key"),
        ("scheme: api_key\n", "x", "has no secret"),
    ],
)
def test_a_secret_that_cannot_be_one_is_told_without_repeating_it(text: str, secret: str, words: str) -> None:
    with pytest.raises(KeyUnusableError, match=words) as refused:
        key_of(schemes(text)[0], secret)
    assert len(secret) < 5 or secret not in str(refused.value)


LISTED = HMAC + 'signatures: {separator: " ", label: v1, after: ","}\n'
TIMED = HMAC + 'signed: "{timestamp}{body}"\ntimestamp: {header: x-time, unit: seconds}\n'
ANYTHING = st.text(alphabet=st.characters(max_codepoint=255), max_size=60)


@settings(max_examples=300)
@given(
    st.sampled_from([case[0] for case in CASES.values()] + [LISTED, TIMED]), ANYTHING, ANYTHING, st.binary(max_size=60)
)
def test_whatever_a_stranger_sends_the_answer_is_a_reason(text: str, value: str, time: str, body: bytes) -> None:
    headers = {"x-signature": value, "x-hub-signature": value, "x-sha1": value, "x-time": time, "content-type": time}
    assert judged(text, ["s3cret12", pem(RSA)], headers, body) in REASONS


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    honest: Callable[[Any, Any], bool] = hmac.compare_digest

    def seen(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return honest(left, right)

    monkeypatch.setattr("services.ingest.webhooks.keys.hmac.compare_digest", seen)
    verifier = Verifier(schemes(HMAC), ["one secret", "another secret"], lambda _: False)
    right = b64(mac(b"one secret"))
    for given_ in (right, b64(b"x" * 32)):
        compared.clear()
        verifier.reason(Request("POST", URL, {"x-signature": given_}, BODY), NOW)
        assert len(compared) == 2  # also after the first one matched
        assert all(isinstance(side, bytes) for pair in compared for side in pair)
