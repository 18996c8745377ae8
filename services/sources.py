"""`petla sources …`: documents tried out on files, sources listed, added, given secrets, removed, mapped again."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.backing import for_a_command

if TYPE_CHECKING:
    from services.ingest.webhooks.administration import Administration
    from services.ingest.webhooks.registry import Source, Sources

sources = typer.Typer(no_args_is_help=True, help="Sources: whose webhooks are taken, and which events they are.")

Name = Annotated[str, typer.Argument(help="the name in the address, /webhooks/NAME")]
Data = Annotated[Path | None, typer.Option(help="data folder; PETLA_DATA")]
AsJson = Annotated[bool, typer.Option("--json", help="the last line is one JSON object")]
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
        found = checked(Check(file, payload, headers, secret or [], url, at or datetime.now(UTC)), os.environ)
    except CheckError as error:
        print(f"petla: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    print(msgspec.json.encode(found).decode() if as_json else told(found))
    raise SystemExit(0 if found.is_fine else 1)


@sources.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """Every source with its version and how many secrets it has."""

    async def work() -> list[dict[str, Any]]:
        async with _administration(data) as (_, known):
            now = datetime.now(UTC)
            return [_told(found) for name in known.names() if (found := known.get(name, now))]

    listed = _run(work())
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

    async def work() -> dict[str, Any]:
        from services.ingest.webhooks.administration import Wanted

        text = document.read_text(encoding="utf-8-sig") if document else None
        async with _administration(data) as (administration, _):
            wanted = Wanted(text, like, _read_secret(secret))
            return _told(await administration.put(name, wanted, datetime.now(UTC)))

    made = _run(_explained(work(), document))
    print(json.dumps(made) if as_json else f"{name}: version {made['version']}, send to /webhooks/{name}")


@sources.command()
def rotate(name: Name, secret: Secret = None, data: Data = None, as_json: AsJson = False) -> None:
    """Give a source another secret; the one before holds for two days more. Without --secret one is made."""

    async def work() -> dict[str, Any]:
        async with _administration(data) as (administration, _):
            source, made = await administration.rotate(name, _read_secret(secret), datetime.now(UTC))
            return {**_told(source), "secret": made}

    done = _run(_explained(work()))
    if as_json:
        print(json.dumps(done))
    else:
        print(f"{done['secret']}\n(it is not shown again)" if done["secret"] else f"{name} has another secret")


@sources.command()
def remove(name: Name, data: Data = None) -> None:
    """Remove what was added, secrets too; what is built in stays."""

    async def work() -> None:
        async with _administration(data) as (administration, _):
            await administration.remove(name, datetime.now(UTC))

    _run(_explained(work()))
    print(f"removed {name}")


@asynccontextmanager
async def _administration(data: Path | None) -> "AsyncIterator[tuple[Administration, Sources]]":
    from services.ingest.settings import IngestSettings
    from services.ingest.webhooks.access import known_keys
    from services.ingest.webhooks.administration import Administration
    from services.ingest.webhooks.registry import Sources
    from shared.events.catalogue import ACCEPTED_TYPES
    from shared.sealing import sealing_of

    settings = IngestSettings(**_chosen(data))
    sealing = sealing_of(settings)
    async with for_a_command(settings) as config:
        known = Sources(config, sealing, ACCEPTED_TYPES, os.environ, known_keys(config), settings.sources)
        yield Administration(config, known, sealing), known


def _chosen(data: Path | None) -> dict[str, Any]:
    return {"data": data} if data else {}


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


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)
