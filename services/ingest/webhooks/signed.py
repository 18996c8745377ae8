"""What a sender signs, written as a template: `{timestamp}.{body}`. Closed: a placeholder is one of `PLACEHOLDERS`."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from services.ingest.webhooks.request import Request

PLACEHOLDERS = ("body", "body_base64", "timestamp", "url", "form", "secret", "header:NAME")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HEADER = re.compile(r"header:([a-z0-9|-]{1,200})")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_MASK = b"***"
_BODY_ALONE = ("body",)


class SignedTextError(ValueError):
    """A template that is none."""


@dataclass(frozen=True)
class SignedText:
    """`parts` are literal bytes, or the name of a placeholder."""

    parts: tuple[bytes | str, ...]

    @property
    def names_the_body(self) -> bool:
        return "body" in self.parts or "body_base64" in self.parts

    def names(self, placeholder: str) -> bool:
        return placeholder in self.parts

    def renderings(self, request: Request, timestamp: str, secret: bytes | None = None) -> Sequence[bytes]:
        """What may have been signed: several where an address has several spellings. Without `secret`, it is masked."""
        if self.parts == _BODY_ALONE:
            return (request.body,)
        urls = spellings(request.url) if "url" in self.parts else (request.url,)
        return [b"".join(self._rendered(part, request, timestamp, url, secret) for part in self.parts) for url in urls]

    @staticmethod
    def _rendered(part: bytes | str, request: Request, timestamp: str, url: str, secret: bytes | None) -> bytes:
        match part:
            case bytes():
                return part
            case "body":
                return request.body
            case "body_base64":
                return base64.b64encode(request.body)
            case "timestamp":
                return timestamp.encode("latin-1", "replace")
            case "url":
                return url.encode()
            case "form":
                return _sorted_form(request)
            case "secret":
                return _MASK if secret is None else secret
            case header:
                return (request.header(*header.removeprefix("header:").split("|")) or "").encode("latin-1", "replace")


def compile_signed(template: str) -> SignedText:
    """Raises `SignedTextError`."""
    parts: list[bytes | str] = []
    for at, piece in enumerate(_PLACEHOLDER.split(template)):
        if at % 2 == 0:
            if "{" in piece or "}" in piece:
                raise SignedTextError("a brace stands alone: write {body}")
            if piece:
                parts.append(piece.encode())
        elif piece in PLACEHOLDERS[:-1] or _HEADER.fullmatch(piece):
            parts.append(piece)
        else:
            raise SignedTextError(f"there is no {{{piece[:60]}}}: known are {', '.join(PLACEHOLDERS)}")
    return SignedText(tuple(parts))


def spellings(url: str) -> tuple[str, ...]:
    """The same address as it is, without its port, and with the port of its scheme: senders sign one of them."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return (url,)
    default = _DEFAULT_PORTS.get(parts.scheme)
    if not parts.hostname or default is None:
        return (url,)
    without = _with_host(parts, _host(parts))
    return tuple(dict.fromkeys((url, without, _with_host(parts, f"{_host(parts)}:{port or default}"))))


def _host(parts: SplitResult) -> str:
    """As it is written, without its port."""
    host = parts.netloc.rpartition("@")[2]
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]


def _with_host(parts: SplitResult, host: str) -> str:
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host))


def _sorted_form(request: Request) -> bytes:
    """Names in order, each followed by its value; a pair that comes twice counts once. Empty for another body."""
    try:
        return "".join(name + value for name, value in sorted(set(request.form))).encode() if request.is_form else b""
    except ValueError:  # too many fields: verification refuses it
        return b""
