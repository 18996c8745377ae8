"""`python deploy/prepare.py`: makes the topics and the databases, migrates, and looks at settings that break a promise.

Several may run at once, and again: what is there stays. Exit code 0 when all is in order, 1 when it is not or cannot be
reached, 2 for a mistake in the settings; every line says what to do. `--production` also refuses what a lost broker
would make a lost event.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from pydantic import ValidationError

from services.alerts.app import MIGRATIONS as ALERTS
from services.alerts.settings import AlertsSettings
from services.doctor.topics import judged
from services.scoring.app import MIGRATIONS as SCORING
from services.scoring.settings import ScoringSettings
from shared.db import Database
from shared.findings import Finding, any_fails
from shared.log.kafka_connection import KafkaConnection
from shared.log.kafka_settings import look_at
from shared.log.kafka_topics import create_topics
from shared.log.port import LogUnavailable, Topic
from shared.logs import set_up
from shared.reasons import why_no_database
from shared.settings import Settings, first_mistake


async def prepared(
    settings: Settings, databases: dict[str, tuple[str | None, Path]], production: bool
) -> list[Finding]:
    """What was made or found; `databases` by service: its URL and its migrations."""
    if settings.kafka:
        found = await topics(settings.kafka, settings.topics(), production)
    else:
        found = [Finding("ok", "topics", "nothing to do: 'petla up' brings its own log (no KAFKA_BOOTSTRAP_SERVERS)")]
    for service, (url, migrations) in databases.items():
        found.append(await database(service, url, migrations))
    return found


async def topics(kafka: KafkaConnection, wanted: list[Topic], production: bool) -> list[Finding]:
    try:
        made = await create_topics(kafka, wanted)
        cluster = await look_at(kafka, [topic.name for topic in wanted])
    except LogUnavailable as error:
        return [Finding("fail", "topics", str(error))]
    said = [Finding("ok", "topics", f"{name} is made") for name in made]
    return said + judged(cluster, wanted, production=production)


async def database(service: str, url: str | None, migrations: Path) -> Finding:
    name = f"{service} database"
    if url is None:
        return Finding("ok", name, "nothing to do: 'petla up' brings its own PostgreSQL (no DATABASE_URL)")
    one = Database(url)
    try:
        newer = await one.migrate(migrations)
    except Exception as error:  # whatever it is: the operator gets one line
        return Finding("fail", name, why_no_database(error))
    finally:
        await one.close()
    if newer:
        return Finding("ok", name, f"is at version {newer}, newer than this Pętla's, and serves it as it is")
    return Finding("ok", name, "is there, at the newest version")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python deploy/prepare.py", description="Topics, databases, migrations.")
    parser.add_argument("--production", action="store_true", help="refuse what does not outlive the loss of a broker")
    chosen = parser.parse_args()
    set_up()
    try:
        settings, scoring, alerts = Settings(), ScoringSettings(), AlertsSettings()
    except ValidationError as error:
        print(f"prepare: {first_mistake(error)}", file=sys.stderr)
        return 2
    databases = {"scoring": (scoring.own_database, SCORING), "alerts": (alerts.own_database, ALERTS)}
    found = asyncio.run(prepared(settings, databases, chosen.production))
    for finding in found:
        print(finding, flush=True)
    return 1 if any_fails(found) else 0


if __name__ == "__main__":
    sys.exit(main())
