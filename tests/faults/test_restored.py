"""Databases that go back to an earlier state while the log is at today (D-11, D-12), on either log.

Positions and facts go back together, so everything read since is read again and ends the same; what the log no longer
has is shown as `lost`. No follow-up opens twice, and every event and notification that leaves again has its old id.
"""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.alerts.app import MIGRATIONS as ALERTS
from services.scoring.app import MIGRATIONS as SCORING
from shared.db import Database
from tests.builders import answer
from tests.faults.test_other_logs import expire
from tests.faults.world import HEALS_SECONDS, World, answers, promoters
from tests.postgres_server import OperatorsServer, operators_server

SERVICES = ("scoring", "alerts")


class Restorable(World):
    """On a server of its own; `back_up` and `restore` are what an operator runs."""

    async def prepare(self, server: OperatorsServer, folder: Path) -> None:
        self._server = server
        self._backups = folder
        await self._is_there()
        for service, migrations in (("scoring", SCORING), ("alerts", ALERTS)):
            await self._used[service].migrate(migrations)

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[Path]:
        """The server's data while it does not run, as after a crash; then it is there again."""
        self._server.stop_immediately()
        yield self._server.data
        self._server.start()
        await self._is_there()

    async def _is_there(self) -> None:
        """PostgreSQL takes a moment; to refuse takes none."""
        async with asyncio.timeout(HEALS_SECONDS):
            while not await asyncio.to_thread(self._server.answers):
                pass

    async def back_up(self) -> None:
        for service in SERVICES:
            await asyncio.to_thread(self._server.run, "pg_dump", "-Fc", "-f", self._backups / service, service)

    async def restore(self, *services: str) -> None:
        for service in services:
            await self._used[service].close()
            for program, *words in (
                ("dropdb", "--force", service),
                ("createdb", service),
                ("pg_restore", "-d", service, str(self._backups / service)),
            ):
                await asyncio.to_thread(self._server.run, program, *words)

    async def told(self) -> dict[str, set[str]]:
        """Every id that anybody outside knows."""
        notifications = {str(id_) for (id_,) in await self.rows("alerts", "SELECT id FROM notification")}
        events = {name: set(await self.published(name)) for name in ("scores", "followups")}
        return {**events, "notifications": notifications}


@pytest.fixture
async def restorable(world: World, tmp_path: Path) -> AsyncIterator[Restorable]:
    with operators_server() as server:
        server.start()
        used = {service: Database(f"{server.url}/{service}") for service in SERVICES}
        made = Restorable(world.log, world.log, used, used, world.settings.topic_prefix)
        await made.prepare(server, server.data.parent)
        yield made
        await made.stop()
        for db in used.values():
            await db.close()


async def yesterday(world: World) -> None:
    await world.send(*answers(*(f"low-{n}" for n in range(5))), *promoters(f"high-{n}" for n in range(5)))
    await world.assert_counted_once(10, 5)


async def today(world: World) -> dict[str, Any]:
    """Five more of each, one of yesterday's detractors better now, one copy and one conflict."""
    await world.send(*answers(*(f"later-{n}" for n in range(5))), *promoters(f"higher-{n}" for n in range(5)))
    await world.send(answer("low-0", 9, 1), answer("low-1", 3), answer("low-2", 4))
    found = await world.healed()
    topic = found["topics"][world.settings.topic("feedback")]
    assert (topic["new"], topic["duplicates"], topic["conflicts"]) == (21, 1, 1)
    assert found["detractors"] == {"total": 9, "followups": 9, "suppressed": {}, "missing": 0}
    return found


@pytest.mark.parametrize("services", [["scoring"], ["alerts"], ["scoring", "alerts"]], ids=" and ".join)
async def test_yesterdays_backup_ends_at_todays_numbers(restorable: Restorable, services: list[str]) -> None:
    await yesterday(restorable)
    await restorable.back_up()
    before, told, counted = await today(restorable), await restorable.told(), await restorable.nps()

    await restorable.stop()
    await restorable.restore(*services)
    restorable.start()
    after = await restorable.healed()

    topic = restorable.settings.topic("feedback")
    assert after["topics"][topic] == before["topics"][topic]
    assert [after[part] for part in ("feedback", "detractors", "balanced")] == [
        before[part] for part in ("feedback", "detractors", "balanced")
    ]
    assert (await restorable.nps())["counts"] == counted["counts"]
    assert await restorable.followups() == 10
    assert await restorable.told() == told


async def test_what_the_log_has_forgotten_since_the_backup_is_lost(restorable: Restorable) -> None:
    await yesterday(restorable)
    await restorable.back_up()
    await today(restorable)

    await restorable.stop()
    await expire(restorable, "feedback")
    await restorable.restore("scoring")
    restorable.start()
    found = await restorable.healed()

    topic = found["topics"][restorable.settings.topic("feedback")]
    assert (topic["new"], topic["lost"]) == (10, 13)
    assert not found["balanced"]


async def test_a_server_that_goes_back_under_running_services_is_read_again(restorable: Restorable) -> None:
    """A replica that lacks the last commits takes over; no record comes that would tell."""
    await yesterday(restorable)
    async with restorable.stopped() as data:
        await asyncio.to_thread(subprocess.run, ["cp", "-a", data, data.with_name("base")], check=True)
    before, told = await today(restorable), await restorable.told()
    async with restorable.stopped() as data:
        shutil.rmtree(data)
        data.with_name("base").rename(data)
    after = await restorable.healed()

    assert after["detractors"] == before["detractors"]
    topic = restorable.settings.topic("feedback")
    assert after["topics"][topic] == before["topics"][topic]
    assert await restorable.told() == told
