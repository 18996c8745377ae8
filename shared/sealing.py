"""What is sealed can be read, unaltered, only with `PETLA_SECRET`, and only for the purpose it was sealed for.

AES-256-GCM under keys that HKDF-SHA256 derives from the secret, one a purpose: a survey's token is never taken for a
source's secret, whatever is put where.
"""

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.data_folder import prepare, resolved
from shared.settings import Settings

_FILE = "secret"
_NONCE_BYTES = 12
_FORM = b"\x01"  # the first byte of everything sealed: another scheme would have another


class NotUnsealed(Exception):  # noqa: N818 - what it says of a text, not a mistake of the program
    """Altered, cut, sealed for another purpose, or with another `PETLA_SECRET`: nobody can tell which."""


class Sealing:
    """Keys by purpose, made once each; `secret` is never kept."""

    def __init__(self, secret: bytes) -> None:
        self._root = HKDF(SHA256(), 32, salt=None, info=b"petla root").derive(secret)
        self._ciphers: dict[str, AESGCM] = {}

    def key(self, purpose: str) -> bytes:
        """32 bytes for this purpose alone (an HMAC of one's own, for example)."""
        return HKDF(SHA256(), 32, salt=None, info=b"petla " + purpose.encode()).derive(self._root)

    def seal(self, purpose: str, content: bytes) -> str:
        """URL-safe text; the same content is another text every time."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _FORM + nonce + self._cipher(purpose).encrypt(nonce, content, _FORM)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def unseal(self, purpose: str, text: str) -> bytes:
        """Raises `NotUnsealed`, whatever `text` holds."""
        try:
            encoded = text.encode("ascii")
            sealed = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
            if not sealed.startswith(_FORM):
                raise NotUnsealed(purpose)
            nonce, content = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
            return self._cipher(purpose).decrypt(nonce, content, _FORM)
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise NotUnsealed(purpose) from error

    def _cipher(self, purpose: str) -> AESGCM:
        """Purposes are the program's own words: there are few."""
        if purpose not in self._ciphers:
            self._ciphers[purpose] = AESGCM(self.key(f"seal {purpose}"))
        return self._ciphers[purpose]


def sealing_of(settings: Settings) -> Sealing:
    """With `PETLA_SECRET`, else with DATA/secret, made here when it is missing: every process on DATA has the same.

    Raises `DataFolderError`, `OSError`.
    """
    if settings.secret is not None:
        return Sealing(settings.secret.get_secret_value().encode())
    return Sealing(_kept_secret(prepare(settings.data) / _FILE))


def sealing_found(settings: Settings) -> Sealing | None:
    """The same for who only looks: None where no secret is named and none is kept. Raises `OSError`."""
    if settings.secret is None and not (resolved(settings.data) / _FILE).exists():
        return None
    return sealing_of(settings)


def _kept_secret(path: Path) -> bytes:
    """Whole or not at all, and one for all: whoever links the name first has made it."""
    if not path.exists():
        new = path.with_name(f"{_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(secrets.token_urlsafe(32).encode())
                opened.flush()
                os.fsync(file)
            path.hardlink_to(new)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_bytes()
