"""A database's schema: brought to this version's, or newer and served as it is while it has only been expanded since.

So processes of two versions work on one database. Revisions are four digits that rise; one that takes away what an
earlier version used names in `unused_since` the first that did without, and older processes are then refused.
"""

from pathlib import Path

from sqlalchemy import Connection, text

from shared.database_server import DatabaseUnsuitable

_HAS_CONTRACTIONS = text("SELECT to_regclass('schema_contraction') IS NOT NULL")
_NEEDED = text("SELECT max(unused_since) FROM schema_contraction")


def upgrade(connection: Connection, versions: Path) -> str | None:
    """None: at the newest of `versions` now. Else the version of a database that is newer, and serves all the same.

    The caller lets one in at a time. DatabaseUnsuitable where the database is of no use to this process.
    """
    from alembic import command  # costs 0.3 s and is needed once
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["connection"] = connection
    found = MigrationContext.configure(connection).get_current_revision()
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    if found is not None and found not in known:
        refuse_unusable(found, max(known), needed(connection))
        return found
    connection.rollback()  # or Alembic would take the transaction of the questions for ours
    command.upgrade(config, "head")
    return None


def needed(connection: Connection) -> str | None:
    """The oldest version that the schema still has everything for; None: every one."""
    if not connection.execute(_HAS_CONTRACTIONS).scalar_one():
        return None
    oldest: str | None = connection.execute(_NEEDED).scalar_one()
    return oldest


def refuse_unusable(found: str, newest_known: str, oldest: str | None) -> None:
    """`found` is none of the versions that this process knows."""
    if not found.isdigit() or found < newest_known:
        raise DatabaseUnsuitable(
            f"the database is at version {found}, which is none of Pętla's: name another, or restore a backup of it"
        )
    if oldest is not None and oldest > newest_known:
        raise DatabaseUnsuitable(
            f"the database is at version {found} and serves processes from version {oldest} on, and this one knows"
            f" {newest_known}: start the Pętla that brought it there, or a newer one"
        )
