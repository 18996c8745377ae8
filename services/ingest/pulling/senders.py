"""Which senders are asked: those whose credentials stand in the environment.

| variable | |
|---|---|
| `PETLA_SOURCE_ALLEGRO_CLIENT_ID`, `…_CLIENT_SECRET`, `…_REFRESH_TOKEN` | an application's, and the seller's consent |
| `PETLA_SOURCE_ALLEGRO_API`, `…_SIGN_IN` | other addresses than the shop's own: the sandbox |
| `PETLA_SOURCE_BIGCOMMERCE_STORE`, `…_TOKEN` | the store's hash and an API account's token |
| `PETLA_SOURCE_BIGCOMMERCE_API` | another address |
"""

import re
from collections.abc import Mapping

from services.ingest.pulling import allegro, bigcommerce
from services.ingest.pulling.port import Poller
from services.ingest.pulling.remote import Remote
from services.ingest.pulling.tokens import KeptRefreshToken, RefreshedTokens
from shared.clock import Clock
from shared.config import ConfigStore
from shared.log.port import Log
from shared.sealing import Sealing

_BEFORE = "PETLA_SOURCE_"
_STORE = re.compile(r"[a-z0-9]{1,40}")


class Senders:
    """`pollers`, and the connections behind them. Raises ValueError with what is missing or wrong."""

    def __init__(
        self,
        environment: Mapping[str, str],
        config: ConfigStore,
        log: Log,
        raw_topic: str,
        sealing: Sealing,
        clock: Clock,
    ) -> None:
        self._environment = environment
        self._clock = clock
        self._remotes: list[Remote] = []
        self._fetching: list[bigcommerce.BigCommerce] = []
        self.pollers: list[Poller] = []
        if found := self._all("ALLEGRO", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"):
            self.pollers.append(self._allegro(*found, config=config, sealing=sealing))
        if found := self._all("BIGCOMMERCE", "STORE", "TOKEN"):
            self.pollers.append(self._bigcommerce(*found, log=log, raw_topic=raw_topic))

    async def close(self) -> None:
        for fetching in self._fetching:
            await fetching.close()
        for remote in self._remotes:
            await remote.close()

    def _allegro(
        self, client: str, secret: str, refresh: str, *, config: ConfigStore, sealing: Sealing
    ) -> allegro.Allegro:
        sign_in = self._remote("Allegro", "ALLEGRO_SIGN_IN", allegro.SIGN_IN)
        kept = KeptRefreshToken(allegro.NAME, refresh, config, sealing)
        tokens = RefreshedTokens(sign_in, allegro.TOKEN_PATH, (client, secret), kept, self._clock)
        return allegro.Allegro(self._remote("Allegro", "ALLEGRO_API", allegro.API), tokens, self._clock)

    def _bigcommerce(self, store: str, token: str, *, log: Log, raw_topic: str) -> bigcommerce.BigCommerce:
        if not _STORE.fullmatch(store):
            raise ValueError(f"{_BEFORE}BIGCOMMERCE_STORE is no store's hash: the part behind /stores/ in its API path")
        remote = self._remote("BigCommerce", "BIGCOMMERCE_API", bigcommerce.API)
        self._fetching.append(bigcommerce.BigCommerce(remote, store, token, log, raw_topic, self._clock))
        return self._fetching[-1]

    def _remote(self, who: str, variable: str, otherwise: str) -> Remote:
        address = self._environment.get(_BEFORE + variable, "").strip() or otherwise
        if not address.startswith(("https://", "http://")):
            raise ValueError(f"{_BEFORE}{variable} is no address: give one like {otherwise}")
        self._remotes.append(Remote(who, address, self._clock))
        return self._remotes[-1]

    def _all(self, sender: str, *names: str) -> list[str]:
        """None of them: this sender is not asked. Some of them: a mistake."""
        variables = [f"{_BEFORE}{sender}_{name}" for name in names]
        found = {name: self._environment.get(name, "").strip() for name in variables}
        missing = [name for name, value in found.items() if not value]
        if missing and len(missing) < len(found):
            raise ValueError(f"{', '.join(missing)}: missing beside the other settings of this sender; set it too")
        return [] if missing else list(found.values())
