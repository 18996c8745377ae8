"""`petla sources …`: documents tried out on files, sources listed, added, given secrets, removed, mapped again."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.backing import log_for_a_command
from services.options import DEFAULT_URL, AsJson, Data, Url, into_environment
from shared.clock import SystemClock

if TYPE_CHECKING:
    from services.ingest.keeping import Keeping
    from services.ingest.settings import IngestSettings
    from services.ingest.webhooks.administration import Administration
    from services.ingest.webhooks.registry import Source, Sources
    from shared.log.port import Log

sources = typer.Typer(no_args_is_help=True, help="Sources: whose webhooks are taken, and which events they are.")

Name = Annotated[str, typer.Argument(help="the name in the address, /webhooks/NAME")]
Secret = Annotated[str | None, typer.Option(help="the secret; - reads it from the standard input")]


@sources.command()
def check(
    file: Annotated[str, typer.Argument(help="a document, or the name of a built-in source")],
    payload: Annotated[Path, typer.Option(help="a file with the body, as it is sent")],
    headers: Annotated[Path | None, typer.Option(help="a file with the headers: JSON, or lines `Name: value`")] = None,
    secret: Annotated[list[str] | None, typer.Option(help="or PETLA_SOURCE_NAME_SECRET")] = None,
    url: Annotated[str | None, typer.Option(help="the address that was called, where that is signed")] = None,
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="instead of now")] = None,
    as_json: AsJson = False,
) -> None:
    """Try a document on a delivery. Exit code 1: it is not the sender's, or a rule fails on it."""
    import msgspec

    from services.ingest.webhooks.checking import Check, CheckError, told
    from services.ingest.webhooks.checking import check as checked

    try:
        found = checked(Check(file, payload, headers, secret or [], url, at or SystemClock().now()), os.environ)
    except CheckError as error:
        print(f"petla: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(msgspec.json.encode(found).decode() if as_json else told(found))
    raise SystemExit(0 if found.is_fine else 1)


@sources.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """Every source with its version and how many secrets it has."""
    into_environment(data=data)

    async def work() -> list[dict[str, Any]]:
        async with _administration() as (_, known, _log):
            now = SystemClock().now()
            return [_told(found) for name in known.names() if (found := known.get(name, now))]

    listed = asyncio.run(work())
    if as_json:
        print(json.dumps(listed))
        return
    for one in listed:
        print(f"{one['name']}  version {one['version']}, {one['origin']}, secrets: {one['secrets']}  {one['about']}")


@sources.command()
def add(
    name: Name,
    document: Annotated[Path | None, typer.Option(help="its document; a built-in source needs none")] = None,
    like: Annotated[str | None, typer.Option(help="a built-in source whose document it has")] = None,
    secret: Secret = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Add a source, or change one. Effective everywhere within five seconds."""
    into_environment(data=data)

    async def work() -> dict[str, Any]:
        from services.ingest.webhooks.administration import Wanted

        text = document.read_text(encoding="utf-8-sig") if document else None
        async with _administration() as (administration, _known, _log):
            wanted = Wanted(text, like, _read_secret(secret))
            return _told(await administration.put(name, wanted, SystemClock().now()))

    made = asyncio.run(_explained(work(), document))
    print(json.dumps(made) if as_json else f"{name}: version {made['version']}, send to /webhooks/{name}")


@sources.command()
def rotate(name: Name, secret: Secret = None, data: Data = None, as_json: AsJson = False) -> None:
    """Give a source another secret; the one before holds for two days more. Without --secret one is made."""
    into_environment(data=data)

    async def work() -> dict[str, Any]:
        async with _administration() as (administration, _known, _log):
            source, made = await administration.rotate(name, _read_secret(secret), SystemClock().now())
            return {**_told(source), "secret": made}

    done = asyncio.run(_explained(work()))
    if as_json:
        print(json.dumps(done))
    else:
        print(f"{done['secret']}\n(it is not shown again)" if done["secret"] else f"{name} has another secret")


@sources.command()
def remove(name: Name, data: Data = None) -> None:
    """Remove what was added, secrets too; what is built in stays."""
    into_environment(data=data)

    async def work() -> None:
        async with _administration() as (administration, _known, _log):
            await administration.remove(name, SystemClock().now())

    asyncio.run(_explained(work()))
    print(f"removed {name}")


def replay(
    source: Annotated[str, typer.Option(help="whose deliveries")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would change")] = False,
    url: Url = DEFAULT_URL,
    key: Annotated[str | None, typer.Option(envvar="PETLA_API_KEY", help="to count the follow-ups touched")] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Map what came in again, by the document that is in force now: replaced, retracted, nothing counted twice."""
    into_environment(data=data)

    async def work() -> dict[str, Any]:
        done = await _replayed(source, since, dry_run)
        answers = done.pop("answers")
        return {**done, "followups": await _followups(answers, url, key) if key else None}

    done = asyncio.run(work())
    if as_json:
        print(json.dumps(done))
        return
    for example in done["examples"]:
        print(f"{example['change']}: {example['type']} {example['id']} ({example['fact']})")
    counts = ", ".join(f"{done[name]} {name}" for name in ("added", "changed", "retracted", "unchanged", "kept"))
    touched = "" if done["followups"] is None else f", {done['followups']} follow-ups touched"
    print(f"{done['deliveries']} deliveries, {done['failed']} of them with mistakes: facts {counts}{touched}")
    if done["erased"]:
        print(f"{done['erased']} more whose content was erased with a person: what they made stays as it is")
    if dry_run:
        print("nothing was written: leave out --dry-run")


async def _replayed(name: str, since: datetime, dry_run: bool) -> dict[str, Any]:
    """Raises ValueError for a source that is not there, or whose document is not newer."""
    from services.ingest.settings import IngestSettings
    from services.ingest.webhooks.history import History
    from services.ingest.webhooks.replaying import Replay, VersionNotRaisedError

    settings = IngestSettings()
    async with _administration() as (_, known, log):
        found = known.get(name, SystemClock().now())
        if found is None:
            raise ValueError(f"there is no source {name!r}: `petla sources list` shows them")
        keeping = None if dry_run else _keeping(log, settings)
        replaying = Replay(History(log, settings.topic("raw"), name), found.document, keeping)
        try:
            done = await replaying.run(since if since.tzinfo else since.replace(tzinfo=settings.zone))
        except VersionNotRaisedError as error:
            raise ValueError(str(error)) from None
        return asdict(done)


def _keeping(log: "Log", settings: "IngestSettings") -> "Keeping":
    from prometheus_client import CollectorRegistry

    from services.ingest.counters import Counters
    from services.ingest.keeping import Keeping

    return Keeping(log, settings.topic, SystemClock(), Counters(CollectorRegistry()))


async def _followups(answers: Sequence[str], url: str, key: str) -> int | None:
    """Of this feedback; None, and a sentence on stderr, where nobody tells: what was replayed is replayed."""
    import httpx

    headers, count = {"Authorization": f"Bearer {key}"}, 0
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
            for answer in answers:
                response = (await client.get("/v1/followups", params={"feedback": answer})).raise_for_status()
                count += response.json()["total"]
    except httpx.HTTPStatusError as error:
        why = f"answered {error.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as error:
        why = type(error).__name__
    else:
        return count
    print(f"petla: the follow-ups cannot be counted at {url} ({why}): check --url and --key", file=sys.stderr)
    return None


@asynccontextmanager
async def _administration() -> "AsyncIterator[tuple[Administration, Sources, Log]]":
    from services.ingest.settings import IngestSettings
    from services.ingest.webhooks.access import known_keys
    from services.ingest.webhooks.administration import Administration
    from services.ingest.webhooks.registry import Sources
    from shared.events.catalogue import ACCEPTED_TYPES
    from shared.sealing import sealing_of

    settings = IngestSettings()
    sealing = sealing_of(settings)
    async with log_for_a_command(settings) as (log, config):
        known = Sources(config, sealing, ACCEPTED_TYPES, os.environ, known_keys(config), settings.sources)
        yield Administration(config, known, sealing), known, log


async def _explained(work: Coroutine[Any, Any, Any], document: Path | None = None) -> Any:
    """ValueError, which the command tells as one sentence, with the line of the document's file."""
    from services.ingest.webhooks.administration import SourceRefusedError

    try:
        return await work
    except SourceRefusedError as error:
        place = f"{document}:{error.line}: " if document and error.line else ""
        raise ValueError(f"{place}{error}") from None


def _read_secret(given: str | None) -> str | None:
    return sys.stdin.read().strip() if given == "-" else given


def _told(source: "Source") -> dict[str, Any]:
    document = source.document
    return {
        "name": document.name,
        "version": document.version,
        "origin": source.origin,
        "secrets": source.secrets,
        "about": document.about,
    }
