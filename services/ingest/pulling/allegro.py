"""Allegro: the log of order events, each order that is ready with its form, and returns. Allegro has no webhooks.

Events come oldest first behind the last one's id; the log has those of 60 days, and now and then one twice, under two
ids. Returns have no log: those made since shortly before the newest known one are read again, and handed out where they
are new or changed.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any

import msgspec

from services.ingest.pulling.patience import Answers, Ask, Patience
from services.ingest.pulling.port import KIND, Position, Pulled, PullFailed
from services.ingest.pulling.remote import Parameters, Refused, Remote, Unauthorised
from services.ingest.pulling.tokens import Tokens
from services.ingest.webhooks.request import Request
from shared.clock import Clock

NAME = "allegro"
API, SIGN_IN, TOKEN_PATH = "https://api.allegro.pl", "https://allegro.pl", "/auth/oauth/token"
_PUBLIC, _BETA = "application/vnd.allegro.public.v1+json", "application/vnd.allegro.beta.v1+json"
_EVENTS, _FORMS, _RETURNS = "/order/events", "/order/checkout-forms/", "/order/customer-returns"
EVENTS_AT_ONCE, RETURNS_AT_ONCE = 100, 500
_READY = "READY_FOR_PROCESSING"
# Their order is not strictly that of their making, and their status changes for some time.
_RETURNS_AGAIN = timedelta(days=2)
_FIRST_RETURNS = timedelta(days=60)


class Allegro:
    """A `Poller`; its position is `{"event": id, "return": the newest one's time}`."""

    name = NAME

    def __init__(self, remote: Remote, tokens: Tokens, clock: Clock) -> None:
        self._remote = remote
        self._tokens = tokens
        self._clock = clock
        self._patience = Patience(clock)
        self._handed_out: dict[str, str] = {}
        self._kept: dict[str, str] = {}

    async def pull(self, position: Position) -> Pulled:
        events = _listed(await self._get(_EVENTS, _PUBLIC, _behind(position)), "events")
        if events and _text(events[-1], "id") == position.get("event"):
            if len(events) >= EVENTS_AT_ONCE:
                raise PullFailed("Allegro's order events do not move on: the last of them is the one before")
            events = []
        self._handed_out = self._kept
        answers = await self._ordered(events)
        behind = list(takewhile(answers.settled.__contains__, (event["id"] for event in events)))
        moved = {**position, "event": behind[-1]} if behind else dict(position)
        without = [event for event in events if event["id"] in answers.passed_over]
        deliveries = [*answers.came.values(), *map(self._event, without)]
        passed_over = tuple(f"order {_form(event)}: {answers.passed_over[event['id']]}" for event in without)
        if len(behind) >= EVENTS_AT_ONCE:
            return Pulled(tuple(deliveries), moved, more=True, passed_over=passed_over)
        failed = answers.failed
        try:
            returns, newest = await self._returned(_moment(position.get("return")))
            deliveries += returns
            moved |= {"return": newest.isoformat()} if newest else {}
        except PullFailed as returns_failed:
            # Returns that cannot be listed do not hold up orders: these are kept, and then it is told.
            failed = returns_failed
        if failed and not deliveries:
            raise failed
        return Pulled(tuple(deliveries), moved, more=failed is not None, passed_over=passed_over)

    def kept(self) -> None:
        self._kept = self._handed_out
        self._patience.kept()

    async def _ordered(self, events: list[dict[str, Any]]) -> Answers:
        asks: dict[str, Ask] = {}
        known: dict[str, Request] = {}
        for event in events:
            if _form(event):
                asks[_text(event, "id")] = partial(self._with_form, event)
            else:
                known[_text(event, "id")] = self._event(event)
        return await self._patience.ask(asks, EVENTS_AT_ONCE, known)

    async def _with_form(self, event: dict[str, Any]) -> Request:
        form = await self._get(_FORMS + _form(event), _PUBLIC)
        if form is None:
            raise Refused("Allegro has no such form (404)")
        return self._event({**event, "form": form})

    def _event(self, event: dict[str, Any]) -> Request:
        return self._delivery("order-event", _EVENTS, event)

    async def _returned(self, newest: datetime | None) -> tuple[list[Request], datetime | None]:
        """All of them before the position may move: no page alone says how new the others are."""
        since = newest - _RETURNS_AGAIN if newest else self._clock.now() - _FIRST_RETURNS
        found: list[dict[str, Any]] = []
        digests: dict[str, str] = {}
        while True:
            page = _listed(await self._get(_RETURNS, _BETA, _since(since, len(found))), "customerReturns")
            found += page
            told = len(digests)
            digests |= {_text(one, "id"): hashlib.sha256(msgspec.json.encode(one)).hexdigest() for one in page}
            if len(page) < RETURNS_AT_ONCE:
                break
            if len(digests) == told:
                raise PullFailed("Allegro's returns do not end: each page of them is the one before")
        self._handed_out = digests
        changed = [one for one in found if self._kept.get(one["id"]) != self._handed_out[one["id"]]]
        made = [moment for one in found if (moment := _moment(one.get("createdAt")))]
        return [self._delivery("return", _RETURNS, one) for one in changed], max(
            [*made, *([newest] if newest else [])], default=None
        )

    def _delivery(self, kind: str, path: str, body: dict[str, Any]) -> Request:
        headers = {KIND: kind, "content-type": "application/json"}
        return Request("GET", self._remote.base + path, headers, msgspec.json.encode(body))

    async def _get(self, path: str, media: str, parameters: Parameters = ()) -> Any:
        for attempt in ("with the known token", "with a new one"):
            headers = {"Authorization": f"Bearer {await self._tokens.access()}", "Accept": media}
            try:
                return await self._remote.get(path, headers, parameters)
            except Unauthorised:
                self._tokens.forget()
                if attempt == "with a new one":
                    raise
        raise AssertionError("unreachable")


def _form(event: dict[str, Any]) -> str:
    """The form to fetch; empty where the event needs none, or names what could be a path."""
    form = ((event.get("order") or {}).get("checkoutForm") or {}).get("id")
    is_asked = event.get("type") == _READY and isinstance(form, str) and form.replace("-", "").isalnum()
    return str(form) if is_asked else ""


def _behind(position: Position) -> Parameters:
    limit = [("limit", str(EVENTS_AT_ONCE))]
    return [*limit, ("from", str(position["event"]))] if position.get("event") else limit


def _since(since: datetime, offset: int) -> Parameters:
    moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [("createdAt.gte", moment), ("limit", str(RETURNS_AT_ONCE)), ("offset", str(offset))]


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None


def _listed(answer: Any, name: str) -> list[dict[str, Any]]:
    found = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise PullFailed(f"Allegro's answer has no list of {name}")
    return found


def _text(thing: dict[str, Any], name: str) -> str:
    value = thing.get(name)
    if not isinstance(value, str) or not value:
        raise PullFailed(f"something of Allegro's answer has no {name}")
    return value
