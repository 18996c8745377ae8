"""The `verify` part of a document, compiled: how one can tell that a delivery comes from who it says."""

from dataclasses import dataclass

from services.ingest.mapping.located import Located
from services.ingest.mapping.sections import Section
from services.ingest.webhooks.signed import SignedText, SignedTextError, compile_signed

ALGORITHMS = ("sha1", "sha256", "sha512")
ENCODINGS = ("hex", "base64")
UNITS = ("seconds", "milliseconds", "rfc3339")
SIGNING = ("hmac", "digest", "rsa", "ecdsa", "ed25519")
SHARED = ("token", "basic", "api_key")
TOLERANCE_SECONDS = 300
_BODY = SignedText(("body",))
_SIGNING_KEYS = ("algorithm", "encoding", "signatures", "signed", "timestamp", "body_hash")


@dataclass(frozen=True)
class Listed:
    """A header that holds several signatures, each behind a label: `v1,… v1a,…` or `t=…,v1=…`."""

    separator: str
    label: str
    after: str

    def of(self, label: str, text: str) -> list[str]:
        entries = [entry.strip().partition(self.after) for entry in text.split(self.separator)]
        return [value for name, _, value in entries if name == label]


@dataclass(frozen=True)
class Timestamp:
    """Read from a header, or from the `field` of the signature's own; `tolerance` in seconds to both sides."""

    headers: tuple[str, ...]
    field: str | None
    unit: str
    tolerance: int


@dataclass(frozen=True)
class Spelling:
    """How a secret is written: without `prefix`, in `encoding`; `refused` are those that everybody knows."""

    encoding: str = "text"
    prefix: str = ""
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scheme:
    """`headers` hold the signature or the token: the first that is there counts."""

    kind: str
    headers: tuple[str, ...]
    prefix: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    signed: SignedText = _BODY
    listed: Listed | None = None
    timestamp: Timestamp | None = None
    body_hash: str | None = None
    spelling: Spelling = Spelling()


def compile_verify(content: Located) -> tuple[Scheme, ...]:
    """One scheme, or several of which one is enough. Raises `MappingError`."""
    entries = content.value if isinstance(content.value, list) else [content]
    if not entries:
        raise content.mistake("verify has no scheme: name at least one")
    return tuple(_compile_scheme(Section("verify", entry)) for entry in entries)


def _compile_scheme(section: Section) -> Scheme:
    kind = section.choice("scheme", (*SIGNING, *SHARED), "scheme")
    if kind in SHARED:
        for key in _SIGNING_KEYS:
            if section.has(key):
                raise section.mistake(key, f"{kind} signs nothing: remove {key}")
        return _shared(kind, section)
    for key in ("header", "encoding"):
        if not section.has(key):
            raise section.content.mistake(f"verify has no {key}: {kind} needs it, add `{key}: …`")
    return _signing(kind, section)


def _shared(kind: str, section: Section) -> Scheme:
    default = "Bearer " if kind == "token" and not section.has("header") else ""
    return Scheme(
        kind,
        _names(section, "header") or ("authorization",),
        prefix=_text(section, "prefix", default),
        spelling=_secret(section),
    )


def _signing(kind: str, section: Section) -> Scheme:
    signed = _compile_signed(section)
    if signed.names("secret") != (kind == "digest"):
        raise section.mistake(
            "signed" if section.has("signed") else "scheme",
            'a digest is made over the secret too: `signed: "{secret}{body}"`'
            if kind == "digest"
            else f"{kind} uses the secret as its key: remove {{secret}}",
        )
    timestamp = _timestamp(section)
    if signed.names("timestamp") and timestamp is None:
        raise section.mistake("signed", "{timestamp} needs a `timestamp:` that says where it stands")
    return Scheme(
        kind,
        _names(section, "header"),
        prefix=_text(section, "prefix", ""),
        algorithm=section.choice("algorithm", ALGORITHMS, "algorithm") if section.has("algorithm") else "sha256",
        encoding=section.choice("encoding", ENCODINGS, "encoding"),
        signed=signed,
        listed=_listed(section),
        timestamp=timestamp,
        body_hash=_body_hash(section, signed),
        spelling=_secret(section),
    )


def _compile_signed(section: Section) -> SignedText:
    if not section.has("signed"):
        return _BODY
    try:
        return compile_signed(section.text("signed"))
    except SignedTextError as error:
        raise section.mistake("signed", f"signed: {error}") from None


def _body_hash(section: Section, signed: SignedText) -> str | None:
    if section.has("body_hash"):
        chosen = section.section("body_hash")
        return chosen.text("parameter")
    if not signed.names_the_body and not signed.names("form"):
        raise section.mistake("signed", "the body is not signed: add {body}, or anybody may change it")
    return None


def _timestamp(section: Section) -> Timestamp | None:
    if not section.has("timestamp"):
        return None
    chosen = section.section("timestamp")
    names = _names(chosen, "header")
    label = chosen.text("field") if chosen.has("field") else None
    if bool(names) == bool(label):
        raise section.mistake("timestamp", "timestamp names either a `header`, or a `field` of the signature's header")
    if label and not section.has("signatures"):
        raise chosen.mistake("field", "a field stands in a header of several `signatures`: describe them")
    tolerance = chosen.content.value["tolerance"].value if chosen.has("tolerance") else TOLERANCE_SECONDS
    return Timestamp(names, label, chosen.choice("unit", UNITS, "unit"), tolerance)


def _listed(section: Section) -> Listed | None:
    if not section.has("signatures"):
        return None
    chosen = section.section("signatures")
    return Listed(*(str(chosen.content.value[key].value) for key in ("separator", "label", "after")))


def _secret(section: Section) -> Spelling:
    if not section.has("secret"):
        return Spelling()
    chosen = section.section("secret")
    refused = chosen.content.value["refuse"].plain() if chosen.has("refuse") else []
    return Spelling(_text(chosen, "encoding", "text"), _text(chosen, "prefix", ""), tuple(refused))


def _text(section: Section, key: str, default: str) -> str:
    return str(section.content.value[key].value) if section.has(key) else default


def _names(section: Section, key: str) -> tuple[str, ...]:
    """One name or several, in small letters as headers are compared."""
    if not section.has(key):
        return ()
    value = section.content.value[key].plain()
    return tuple(name.lower() for name in (value if isinstance(value, list) else [value]))
