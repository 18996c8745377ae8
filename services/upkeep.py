"""`petla rebuild`: work on the databases that is done while services stand still."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from services.backing import databases
from services.scoring.settings import ScoringSettings
from shared.data_folder import prepare
from shared.database_server import DatabaseUnsuitable
from shared.db import Database, sqlstate
from shared.reasons import why_no_database


def rebuild(data: Annotated[Path | None, typer.Option(help="data folder; PETLA_DATA")] = None) -> None:
    """Count the numbers anew from the facts, in the days of PETLA_TIMEZONE. Stop every scoring first."""
    if data is not None:
        os.environ["PETLA_DATA"] = str(data)
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
            return await rebuilt(database, MIGRATIONS, settings.zone)
        except Exception as error:
            if isinstance(error, OSError) or sqlstate(error):
                raise DatabaseUnsuitable(why_no_database(error)) from error
            raise
        finally:
            await database.close()
