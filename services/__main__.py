"""The command `petla`. Every mistake of the caller is one sentence on stderr and exit code 2, never a traceback."""

import asyncio
import json
import logging
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from services.backing import for_a_command
from services.options import DEFAULT_URL, AsJson, Data, Url, into_environment
from services.rights import erase, export
from services.running import SERVICES, SHARED_PORT, StartError, serve
from services.sources import replay
from services.sources import sources as of_sources
from services.upkeep import rebuild, retry
from shared import embedded_postgres
from shared.access import create_key, list_keys, revoke_key
from shared.clock import SystemClock
from shared.data_folder import DataFolderError
from shared.database_server import DatabaseUnsuitable
from shared.embedded_postgres import PostgresError
from shared.findings import any_fails
from shared.log.port import LogUnavailable
from shared.logs import set_up
from shared.settings import Settings, first_mistake

# A defect shows Python's own traceback, which can be read in a log; typer's is drawn for a wide terminal.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Pętla closes the customer-feedback loop.",
)
keys = typer.Typer(no_args_is_help=True, help="API keys: who may send and read.")
app.add_typer(keys, name="keys")
app.add_typer(of_sources, name="sources")

_EXPECTED = (
    DataFolderError,
    PostgresError,
    DatabaseUnsuitable,
    LogUnavailable,
    StartError,
    LookupError,
    ValueError,
    OSError,
)

Host = Annotated[str | None, typer.Option(help="address to listen on; PETLA_HOST, default 127.0.0.1")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="PETLA_PORT; default 8080, one service 8081 to 8083")]

One = StrEnum("One", list(SERVICES))  # type: ignore[misc]


def main() -> None:
    set_up(least=logging.WARNING)  # or libraries would write what they like
    try:
        raise SystemExit(app(standalone_mode=False))
    except TyperException as error:
        _fail(_misused(error))
    except ValidationError as error:
        _fail(first_mistake(error))
    except _EXPECTED as error:
        _fail(str(error))
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _fail(sentence: str) -> None:
    if sentence:
        print(f"petla: {sentence}", file=sys.stderr)
    raise SystemExit(2)


def _misused(error: TyperException) -> str:
    """Empty when the help was shown instead."""
    context = getattr(error, "ctx", None)
    sentence = error.format_message().replace("Value error, ", "").rstrip(".")
    return f"{sentence}: see '{context.command_path} --help'" if sentence and context else sentence


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


@app.command()
def up(
    service: Annotated[One | None, typer.Argument(help="one service only; without it, all three on one port")] = None,
    host: Host = None,
    port: Port = None,
    data: Data = None,
    sources: Annotated[Path | None, typer.Option(help="folder with documents of your sources; PETLA_SOURCES")] = None,
) -> None:
    """Serve until Ctrl-C. Without Kafka and PostgreSQL it brings its own."""
    into_environment(host=host, port=port, data=data, sources=sources)
    set_up()
    names = [service.value] if service else list(SERVICES)
    _run(serve(names, lambda address: print(f"Pętla ({', '.join(names)}) serves {address}", flush=True)))


@app.command()
def demo(
    seed: Annotated[int, typer.Option(min=0, help="the same seed tells the same story")] = 1,
    events: Annotated[int, typer.Option(min=1, max=100_000, help="how many events the shop sends")] = 2_000,
    ends: Annotated[bool, typer.Option("--exit", help="end after the verdict; exit code 0 only when balanced")] = False,
    as_json: AsJson = False,
    host: Host = None,
    port: Port = None,
    data: Data = None,
) -> None:
    """Play a simulated shop, watch the loop close, and serve its data until Ctrl-C."""
    from services.demo import command

    into_environment(host=host, port=port, data=data)
    set_up(least=logging.WARNING)  # the story is told on the terminal
    raise SystemExit(_run(command.demo(command.Options(seed, events, ends, as_json), SystemClock())))


@app.command()
def doctor(host: Host = None, port: Port = None, data: Data = None, as_json: AsJson = False) -> None:
    """Look at everything Pętla needs, one line a check, with what to do. Exit code 1 when something fails."""
    from services.alerts.settings import AlertsSettings
    from services.doctor.looks import Installation, everything
    from services.scoring.settings import ScoringSettings

    into_environment(host=host, port=port, data=data)
    set_up()
    installation = Installation(Settings(), ScoringSettings(), AlertsSettings())
    found = _run(everything(installation, SHARED_PORT, SystemClock()))
    if as_json:
        print(json.dumps({"ok": not any_fails(found), "checks": [finding._asdict() for finding in found]}))
    else:
        print(*found, sep="\n")
    raise SystemExit(1 if any_fails(found) else 0)


@app.command()
def stop(data: Data = None) -> None:
    """End an embedded PostgreSQL that was left running."""
    into_environment(data=data)
    folder = Settings().data
    ended = embedded_postgres.stop(folder) if folder.exists() else False
    print("stopped the embedded PostgreSQL" if ended else "no embedded PostgreSQL is running")


@keys.command()
def create(
    source: Annotated[str, typer.Option(help="name of the sender, like shop")],
    scope: Annotated[
        list[str], typer.Option(help="events:write, metrics:read, followups:read, followups:write, admin")
    ],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a key; it is shown this once."""
    into_environment(data=data)

    async def work() -> dict[str, Any]:
        async with for_a_command(Settings()) as config:
            return (await create_key(config, source, scope))._asdict()

    made = _run(work())
    print(json.dumps(made) if as_json else f"{made['key']}\n(key {made['id']}; keep it, it is not shown again)")


@keys.command(name="list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """Every key without its secret."""
    into_environment(data=data)

    async def work() -> list[dict[str, Any]]:
        async with for_a_command(Settings()) as config:
            return [key._asdict() for key in list_keys(config)]

    listed = _run(work())
    if as_json:
        print(json.dumps(listed))
        return
    if not listed:
        print("there is no key: `petla keys create --source NAME --scope events:write` makes one")
    for key in listed:
        state = f"revoked {key['revoked']}" if key["revoked"] else "works"
        print(f"{key['id']}  {key['source']}  {', '.join(key['scopes'])}  {state}")


@keys.command()
def revoke(
    id: Annotated[str, typer.Argument(help="as `petla keys list` shows it")],  # noqa: A002 - the word users read
    data: Data = None,
) -> None:
    """End a key; every service refuses it within five seconds."""
    into_environment(data=data)

    async def work() -> None:
        async with for_a_command(Settings()) as config:
            await revoke_key(config, id, datetime.now(UTC))

    _run(work())
    print(f"revoked {id}")


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV, JSONL, plain or .gz, or .xlsx")],
    mapping: Annotated[Path, typer.Option(help="the mapping document (YAML)")],
    url: Url = DEFAULT_URL,
    key: Annotated[str | None, typer.Option(envvar="PETLA_API_KEY", help="with the scope events:write")] = None,
    as_json: AsJson = False,
) -> None:
    """Send the rows of a file as events. Run again, or stopped and run again, it counts nothing twice."""
    from services.ingest.imports import command

    raise SystemExit(command(file, mapping, url, key, as_json))


for of_another_file in (replay, erase, export, rebuild, retry):
    app.command()(of_another_file)

if __name__ == "__main__":
    main()
