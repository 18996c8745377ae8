"""`petla rebuild`: work on the databases that is done while services stand still."""

import asyncio

from services.backing import databases
from services.options import Data, into_environment
from services.scoring.settings import ScoringSettings
from shared.data_folder import prepare
from shared.db import Database


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
            return await rebuilt(database, MIGRATIONS, settings.zone)
        finally:
            await database.close()
