"""Whom and what was erased, as digests: without `PETLA_SECRET` nobody can try names until one fits."""

import hashlib

from shared.sealing import NotUnsealed, Sealing

_BYTES = 16


class Names:
    def __init__(self, sealing: Sealing) -> None:
        self._key = sealing.key("erased names")
        self._sealing = sealing
        self.fingerprint = hashlib.blake2b(self._key, digest_size=4, person=b"fingerprint").hexdigest()

    def digest(self, kind: str, *names: str) -> bytes:
        """No name holds a NUL, so the join is unambiguous."""
        return hashlib.blake2b("\0".join((kind, *names)).encode(), key=self._key, digest_size=_BYTES).digest()

    def customer(self, customer: str) -> bytes:
        return self.digest("customer", customer)

    def content(self, content: bytes) -> bytes:
        """Of a digest of what a person wrote: two are told apart as before, and nobody can try texts until one fits."""
        return hashlib.blake2b(content, key=self._key, digest_size=_BYTES, person=b"content").digest()

    def seal(self, customer: str) -> str:
        return self._sealing.seal("erased customer", customer.encode())

    def unseal(self, sealed: str | None) -> str | None:
        """None where there is none, or none of ours."""
        try:
            return None if sealed is None else self._sealing.unseal("erased customer", sealed).decode()
        except NotUnsealed:
            return None
