"""`petla doctor`: every check of this installation, whatever of it runs at the moment. Nothing is made or changed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from services.alerts.settings import AlertsSettings
from services.doctor import configuration, databases, machine, spill, topics
from services.scoring.settings import ScoringSettings
from shared.clock import Clock
from shared.config import ConfigStore
from shared.data_folder import resolved
from shared.db import Database
from shared.embedded_postgres import PostgresError, Server
from shared.events.catalogue import CONFIG_TOPIC
from shared.events.topics import TOPICS
from shared.findings import Finding
from shared.log.kafka_settings import look_at
from shared.log.port import Log, LogUnavailable
from shared.opening import open_log
from shared.postgres_binaries import installed, server_account
from shared.postgres_cluster import Cluster
from shared.sealing import sealing_found
from shared.settings import Settings


class Installation(NamedTuple):
    """The settings of all services, as the processes of this environment would read them."""

    settings: Settings
    scoring: ScoringSettings
    alerts: AlertsSettings


async def everything(installation: Installation, usual_port: int, clock: Clock) -> list[Finding]:
    settings = installation.settings
    found = [await machine.port(settings, usual_port), machine.data_folder(settings)]
    if found[-1].level == "fail":
        return found
    found.append(machine.disk(settings))
    async with _log(settings) as log:
        found += await _of_the_log(settings, log)
        readable = None if any(finding.level == "fail" and finding.name == "broker" for finding in found) else log
        found += await _of_the_databases(installation, readable, clock)
    return found


@asynccontextmanager
async def _log(settings: Settings) -> AsyncIterator[Log | None]:
    """None where the embedded log has not been made yet: to open it would make it."""
    if settings.kafka is None and not (resolved(settings.data) / "log").exists():
        yield None
        return
    log = open_log(settings)
    try:
        yield log
    finally:
        await log.close()


async def _of_the_log(settings: Settings, log: Log | None) -> list[Finding]:
    if settings.kafka is None:
        if log is None:
            return [Finding("ok", "log", "is embedded, and not there yet: the first start makes it")]
        return [Finding("ok", "log", "is embedded, in the data folder"), *await _of_the_configuration(settings, log)]
    found = spill.looked_at(resolved(settings.data) / "spill")
    wanted = settings.topics()
    try:
        cluster = await look_at(settings.kafka, [topic.name for topic in wanted])
    except LogUnavailable as error:
        return [Finding("fail", "broker", str(error)), *found]
    judged = topics.judged(cluster, wanted, production=False)
    assert log is not None
    if settings.topic(CONFIG_TOPIC) in cluster.topics:
        found += await _of_the_configuration(settings, log)
    return [topics.judged_brokers(cluster), *judged, *found]


async def _of_the_configuration(settings: Settings, log: Log) -> list[Finding]:
    config = ConfigStore(log, settings.topic(CONFIG_TOPIC))
    try:
        await config.start()
    except LogUnavailable as error:
        return [Finding("fail", "keys", f"cannot be read: {error}")]
    try:
        return configuration.looked_at(config, sealing_found(settings))
    finally:
        await config.stop()


async def _of_the_databases(installation: Installation, log: Log | None, clock: Clock) -> list[Finding]:
    found: list[Finding] = []
    urls = {"scoring": installation.scoring.own_database, "alerts": installation.alerts.own_database}
    if None in urls.values():
        finding, server = _embedded(installation.settings)
        found.append(finding)
        for name in [name for name, url in urls.items() if url is None and server is not None]:
            assert server is not None
            urls[name] = server.url(installation.settings.database_prefix + name)
    for name, url in urls.items():
        if url is not None:
            found += await _of_a_database(name, url, log, installation.settings, clock)
    return found


async def _of_a_database(name: str, url: str, log: Log | None, settings: Settings, clock: Clock) -> Sequence[Finding]:
    database = Database(url, pool_size=1)
    try:
        read = [settings.topic(topic) for topic in followed_by(name)]
        return await databases.looked_at(name, database, log, read, clock)
    finally:
        await database.close()


def followed_by(service: str) -> list[str]:
    """The topics in which the service has positions: all it reads but the configuration."""
    return [kind.name for kind in TOPICS if service in kind.read_by and kind.name != CONFIG_TOPIC]


def _embedded(settings: Settings) -> tuple[Finding, Server | None]:
    """The server where it runs."""
    name = "embedded PostgreSQL"
    data = resolved(settings.data)
    try:
        cluster = Cluster(data, server_account())
        if data.exists() and cluster.may_be_alive():
            return Finding("ok", name, f"runs in {cluster.folder}"), Server(cluster.socket_folder)
        binaries = settings.postgres_bin or installed()
    except PostgresError as error:
        return Finding("fail", name, str(error)), None
    if not (binaries / "postgres").exists():
        return Finding("fail", name, f"there is no program 'postgres' in {binaries}: correct PETLA_POSTGRES_BIN"), None
    return Finding("ok", name, "does not run; it starts with Pętla"), None
