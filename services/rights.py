"""`petla erase` and `petla export`: what a person may ask of whoever keeps their data."""

import asyncio
import json
import re
import sys
from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.backing import for_a_command
from services.options import DEFAULT_URL, Data, Url, into_environment
from shared.clock import SystemClock, rfc3339
from shared.erasure.names import Names
from shared.erasure.receipts import Receipts
from shared.erasure.requests import Requests
from shared.events.fields import NO_CONTROL
from shared.sealing import sealing_of
from shared.settings import Settings

_PAGE = 500
_TIMEOUT_SECONDS = 30.0

_LONGEST_NAME = 256
Customer = Annotated[str, typer.Argument(help="as the events name the customer")]


def erase(
    customer: Customer,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for the services")] = 90,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="the receipt as one line")] = False,
) -> None:
    """Erase a customer everywhere; prints the signed receipt. Exit code 1 while something is still pending."""
    into_environment(data=data)
    receipt = asyncio.run(_erase(customer, wait))
    if as_json:
        print(json.dumps(receipt, ensure_ascii=False))
    else:
        print(json.dumps(receipt, ensure_ascii=False, indent=2))
    if not receipt["complete"]:
        print("petla: not everything is done yet: let scoring and alerts run, and ask again", file=sys.stderr)
        raise SystemExit(1)
    if not any(store.get("rows") for store in receipt["stores"]):
        print("petla: nothing was known of a customer of this name: look whether it is spelled right", file=sys.stderr)


async def _erase(customer: str, seconds: float) -> dict[str, Any]:
    settings = Settings()
    _check(customer)
    if settings.kafka is None and not (settings.data / "log").exists():
        raise ValueError(f"no Pętla has ever run on {settings.data}: name its folder with --data or PETLA_DATA")
    sealing = sealing_of(settings)
    async with for_a_command(settings) as config:
        requests = Requests(config, Names(sealing))
        request = await requests.ask(customer, SystemClock().now())
        await config.until(lambda: requests.is_complete(request), seconds)
        return Receipts(requests, sealing, on_kafka=settings.kafka is not None).receipt(request)


def _check(customer: str) -> None:
    if len(customer) > _LONGEST_NAME or not re.match(NO_CONTROL, customer):
        raise ValueError(f"a customer's name has 1 to {_LONGEST_NAME} characters, none of them a control character")


def export(
    customer: Customer,
    url: Url = DEFAULT_URL,
    key: Annotated[str | None, typer.Option(envvar="PETLA_API_KEY", help="with the scope admin")] = None,
) -> None:
    """Everything known of a customer, as one JSON document."""
    if not key:
        raise ValueError("no API key: give one with --key or PETLA_API_KEY; `petla keys create --scope admin` makes it")
    _check(customer)
    print(json.dumps(_everything(customer, url, key), ensure_ascii=False, indent=2))


def _everything(customer: str, url: str, key: str) -> dict[str, Any]:
    facts = _pages(f"{url}/v1/customers/{quote(customer, safe='')}/facts", key)
    history = _pages(f"{url}/v1/customers/{quote(customer, safe='')}/history", key)
    exported_at = rfc3339(SystemClock().now())
    known = {"customer": customer, "exported_at": exported_at, "contact": history["contact"]}
    return known | {"facts": facts["items"], "history": history["items"]}


def _pages(address: str, key: str) -> dict[str, Any]:
    """The first page with the items of all."""
    whole = page = _page(address, key, None)
    while page["next_cursor"]:
        page = _page(address, key, page["next_cursor"])
        whole["items"] += page["items"]
    return whole


def _page(address: str, key: str, cursor: str | None) -> dict[str, Any]:
    """ValueError in a sentence for what is not answered."""
    import httpx  # costs 0.1 s, and every command is started through this file

    query = {"limit": str(_PAGE)} | ({"cursor": cursor} if cursor else {})
    headers = {"Authorization": f"Bearer {key}"}
    try:
        answer = httpx.get(address, params=query, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False)
        found: dict[str, Any] = dict(answer.json())
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError) as error:
        raise ValueError(f"{address} does not answer as Pętla does ({type(error).__name__}): check --url") from error
    if answer.status_code != 200:
        raise ValueError(f"refused with {answer.status_code}: {found.get('detail', 'no reason given')}")
    return found
