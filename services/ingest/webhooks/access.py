"""API keys as a sender's secret: for whoever cannot sign, but can send a header."""

from services.ingest.webhooks.verification import Knows
from shared.access import AccessDenied, authenticate, require
from shared.config import ConfigStore

_NOT_NOW = 503


def known_keys(config: ConfigStore) -> Knows:
    """Raises `AccessDenied` where nobody can tell at the moment: the sender is to try again."""

    def knows(key: str) -> bool:
        try:
            require(authenticate(config, b"Bearer " + key.encode("latin-1", "replace")), "events:write")
        except AccessDenied as denied:
            if denied.status == _NOT_NOW:
                raise
            return False
        return True

    return knows
