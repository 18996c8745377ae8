"""Erasures on `petla.config`: asked for under `erased/HASH`, reported by each store under `erasure/HASH/STORE`.

A request is never deleted: it is what keeps a replay, a late copy and a restored backup from saying again what was
erased. Until every store has reported, it also holds the customer's name, sealed, so that each finds its rows at once.
"""

from datetime import datetime
from typing import NamedTuple

from shared.clock import rfc3339
from shared.config import ConfigStore
from shared.erasure.names import Names

STORES = ("scoring", "alerts")
_ERASED = "erased/"
_DONE = "erasure/"


class Request(NamedTuple):
    """`hash` is the customer's digest in hexadecimal, `at` the moment that divides what is theirs from what is not."""

    hash: str
    at: datetime
    fingerprint: str
    sealed: str | None


class Report(NamedTuple):
    """What a store has done about the request of that moment; `traces_at` when log and files were rewritten too."""

    of: datetime
    rows: int
    rows_at: datetime
    traces_at: datetime | None
    left: list[str]


class Requests:
    def __init__(self, config: ConfigStore, names: Names) -> None:
        self._config = config
        self.names = names

    async def ask(self, customer: str, now: datetime) -> Request:
        """Returns when it is on the log; `LogUnavailable` when it may not be. Asked again, it counts from then."""
        hash_ = self.names.customer(customer).hex()
        request = Request(hash_, now, self.names.fingerprint, self.names.seal(customer))
        await self._put(request)
        return request

    def find(self, customer: str) -> Request | None:
        hash_ = self.names.customer(customer).hex()
        kept = self._config.get(_ERASED + hash_)
        return None if kept is None else _request(hash_, kept)

    def all(self) -> list[Request]:
        """Those that this secret can tell."""
        found = [_request(key.removeprefix(_ERASED), kept) for key, kept in self._config.items(_ERASED)]
        return [request for request in found if request.fingerprint == self.names.fingerprint]

    @property
    def foreign(self) -> int:
        """How many were asked for under another `PETLA_SECRET`: copies that come late cannot be told from others."""
        return len(self._config.items(_ERASED)) - len(self.all())

    async def report(self, request: Request, store: str, report: Report) -> None:
        value = {**report._asdict(), "of": rfc3339(report.of), "rows_at": rfc3339(report.rows_at)}
        value["traces_at"] = report.traces_at and rfc3339(report.traces_at)
        await self._config.put(f"{_DONE}{request.hash}/{store}", value)

    def reported(self, request: Request, store: str) -> Report | None:
        """Of this request; what a store said of an earlier one of the same customer does not count."""
        kept = self._config.get(f"{_DONE}{request.hash}/{store}")
        if kept is None or _time(kept["of"]) != request.at:
            return None
        traces = kept["traces_at"] and _time(kept["traces_at"])
        return Report(request.at, kept["rows"], _time(kept["rows_at"]), traces, kept["left"])

    def is_complete(self, request: Request) -> bool:
        reports = [self.reported(request, store) for store in STORES]
        return all(report is not None and report.traces_at is not None for report in reports)

    async def forget_name(self, request: Request) -> None:
        """Once every store is done nobody needs it."""
        await self._put(request._replace(sealed=None))

    async def _put(self, request: Request) -> None:
        value = {"at": rfc3339(request.at), "key": request.fingerprint}
        await self._config.put(_ERASED + request.hash, value | ({"customer": request.sealed} if request.sealed else {}))


def _request(hash_: str, kept: dict[str, str]) -> Request:
    return Request(hash_, _time(kept["at"]), kept["key"], kept.get("customer"))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
