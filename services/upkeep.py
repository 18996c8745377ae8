"""`petla rebuild` and `petla retry`: an operator's work on the databases, the first while scoring stands still."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from services.alerts.settings import AlertsSettings
from services.backing import databases, log_for_a_command
from services.options import AsJson, Data, into_environment
from services.scoring.settings import ScoringSettings
from shared.data_folder import prepare
from shared.database_server import DatabaseUnsuitable
from shared.db import Database, sqlstate
from shared.reasons import why_no_database


def rebuild(data: Data = None) -> None:
    """Count the numbers anew from the facts, in the days of PETLA_TIMEZONE. Stop every scoring first."""
    into_environment(data=data)
    settings = ScoringSettings()
    cells = asyncio.run(_rebuild(settings))
    print(f"counted {cells} cells anew, in the days of {settings.timezone}: start scoring again")


async def _rebuild(settings: ScoringSettings) -> int:
    from services.scoring.app import MIGRATIONS  # much to import, and for this command only
    from services.scoring.rebuild import rebuild as rebuilt

    prepare(settings.data)
    async with databases({"scoring": settings.own_database}, settings) as found:
        await found["scoring"].close()
        database = Database(found["scoring"].url, pool_size=1, patient=True)
        try:
            with _in_words():
                return await rebuilt(database, MIGRATIONS, settings.zone)
        finally:
            await database.close()


def retry(
    limit: Annotated[int, typer.Option(min=1, help="of each service at most so many: try a few first")] = 20,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Send what was set aside to the log again, once it can be processed: each counts once."""
    into_environment(data=data)
    done = asyncio.run(_retry(limit))
    if as_json:
        print(json.dumps(done))
        return
    for service, found in done.items():
        print(f"{service}: {found['sent']} sent, {found['unreadable']} unreadable here, {found['left']} left")


async def _retry(limit: int) -> dict[str, dict[str, int]]:
    from shared.consumer.retrying import send_again

    scoring, alerts = ScoringSettings(), AlertsSettings()
    urls = {"scoring": scoring.own_database, "alerts": alerts.own_database}
    done: dict[str, dict[str, int]] = {}
    async with log_for_a_command(scoring) as (log, _), databases(urls, scoring) as found:
        for service, database in found.items():
            try:
                with _in_words():
                    done[service] = (await send_again(database, log, limit))._asdict()
            finally:
                await database.close()
    return done


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or sqlstate(error):
            raise DatabaseUnsuitable(why_no_database(error)) from error
        raise
