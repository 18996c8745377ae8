"""Of `petla.config`: who may send, and whether what was erased under it is still recognised."""

from shared.access import list_keys
from shared.config import ConfigStore
from shared.erasure.names import Names
from shared.erasure.requests import Requests
from shared.findings import Finding
from shared.sealing import Sealing


def looked_at(config: ConfigStore, sealing: Sealing | None) -> list[Finding]:
    """`sealing` is that of this environment, where there is one yet."""
    working = sum(key.revoked is None for key in list_keys(config))
    foreign = Requests(config, Names(sealing)).foreign if sealing else 0
    return [_keys(working), *_erasures(foreign)]


def _keys(working: int) -> Finding:
    if not working:
        return Finding("warn", "keys", "there is none: 'petla keys create --source shop --scope events:write'")
    return Finding("ok", "keys", f"{working} work")


def _erasures(foreign: int) -> list[Finding]:
    if not foreign:
        return []
    advice = "late copies of what was erased are not recognised. Set the PETLA_SECRET of then, or erase them again"
    return [Finding("warn", "erasures", f"{foreign} were asked for under another PETLA_SECRET: {advice}")]
