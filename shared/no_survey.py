"""Who does not want to be asked, as a process without a database may know it: keyed hashes on `petla.config`.

They lie in 1,024 records, so that a million refusals are a thousand records, and each record says all of its share.
Nobody can try names until one fits without `PETLA_SECRET`, and nobody is named.
"""

import base64
import hashlib
from collections.abc import Collection
from typing import NamedTuple

from shared.config import ConfigStore
from shared.sealing import Sealing

_PREFIX = "no-survey/"
_BUCKETS = 1024
_BYTES = 8  # of a million refusals one in 10^13 asks would meet another customer's


class Place(NamedTuple):
    """Where a customer's refusal is told: the record, and the hash in it."""

    bucket: int
    hash: bytes


class SurveyRefusals:
    """What alerts says here, ingest reads, within about a second in every process."""

    def __init__(self, config: ConfigStore, sealing: Sealing) -> None:
        self._config = config
        self._key = sealing.key("survey refusals")
        self.fingerprint = hashlib.blake2b(self._key, digest_size=4, person=b"fingerprint").hexdigest()

    def place(self, customer: str) -> Place:
        digest = hashlib.blake2b(customer.encode(), key=self._key, digest_size=2 + _BYTES).digest()
        return Place(int.from_bytes(digest[:2]) % _BUCKETS, digest[2:])

    def refuses(self, customer: str) -> bool:
        place = self.place(customer)
        return place.hash in self.told(place.bucket)

    def told(self, bucket: int) -> set[bytes]:
        """Of this secret; another one's hashes mean nothing here."""
        value = self._config.get(f"{_PREFIX}{bucket}")
        if value is None or value["key"] != self.fingerprint:
            return set()
        whole = base64.b64decode(value["hashes"])
        return {whole[start : start + _BYTES] for start in range(0, len(whole), _BYTES)}

    async def tell(self, bucket: int, hashes: Collection[bytes]) -> None:
        """Returns when it is in force here; `LogUnavailable`. What was said already is not said again."""
        key = f"{_PREFIX}{bucket}"
        whole = base64.b64encode(b"".join(sorted(hashes))).decode()
        value = {"key": self.fingerprint, "hashes": whole} if hashes else None
        if self._config.get(key) != value:
            await self._config.put(key, value)

    def foreign(self) -> list[int]:
        """The records that another secret wrote."""
        found = self._config.items(_PREFIX)
        return [int(key.removeprefix(_PREFIX)) for key, value in found if value["key"] != self.fingerprint]
