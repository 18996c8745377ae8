"""The rollups counted anew, in the days of a zone, while nobody reads: all of them or none."""

from pathlib import Path
from zoneinfo import ZoneInfo

from services.scoring.store import rebuilding
from services.scoring.store import zone as zone_of_rollups
from shared.database_server import DatabaseUnsuitable
from shared.db import Database


async def rebuild(database: Database, migrations: Path, zone: ZoneInfo) -> int:
    """The number of cells. DatabaseUnsuitable while a scoring runs: it would go on counting in the zone before."""
    await database.migrate(migrations)
    async with database.transaction() as tx:
        await zone_of_rollups.change(zone.key, tx)
        if await rebuilding.anybody_reads(tx):
            raise DatabaseUnsuitable(
                "a scoring process still reads, or was killed a moment ago: stop it, then try again"
            )
        return await rebuilding.rebuild(zone, tx)
