"""The PostgreSQL server behind a URL as `libpq` reads it: new enough, and with the database that the URL names."""

from asyncio import timeout
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg

OLDEST = 15
_BUILTIN_LOCALE_SINCE = 17
_CONNECT_SECONDS = 5.0
_CREATE_SECONDS = 30.0
_SERVER = {"timezone": "UTC"}
_MADE_MEANWHILE = (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError)


class DatabaseUnsuitable(Exception):  # noqa: N818 - it is a state of the server, not a mistake of the caller
    """One sentence for the operator: which database, why not, and what to change. It names no password."""


async def connect(
    url: str, settings: Mapping[str, str] = _SERVER, command_timeout: float | None = None
) -> asyncpg.Connection:
    """A connection of its own; what else the URL says (sslmode, host of a socket) is in force."""
    return await asyncpg.connect(
        _plain(url), server_settings=dict(settings), timeout=_CONNECT_SECONDS, command_timeout=command_timeout
    )


def server_url(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(_plain(url))._replace(path=f"/{quote(database, safe='')}"))


def refuse_old(name: str, version: int) -> None:
    """`version` is the major number."""
    if version < OLDEST:
        raise DatabaseUnsuitable(f"{name} is on PostgreSQL {version}: Pętla needs {OLDEST} or later")


async def create_database(url: str) -> bool:
    """Makes the database that `url` names; False where it is there, also by another process a moment ago.

    Its letters have their case whatever the server's locale is, from PostgreSQL 17 on.
    """
    name = unquote(urlsplit(_plain(url)).path.removeprefix("/"))
    async with timeout(_CREATE_SECONDS):
        connection = await connect(server_url(url, "postgres"))
        try:
            return await _create(connection, name)
        finally:
            await connection.close()


async def _create(connection: asyncpg.Connection, name: str) -> bool:
    version = connection.get_server_version().major
    refuse_old(name, version)
    if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        return False
    locale = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'" if version >= _BUILTIN_LOCALE_SINCE else ""
    quoted = '"{}"'.format(name.replace('"', '""'))
    try:
        await connection.execute(f"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8' {locale}")
    except _MADE_MEANWHILE:
        return False
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnsuitable(
            f"the database {name} does not exist and this user may not make it: make it, or grant CREATEDB"
        ) from error
    return True


def _plain(url: str) -> str:
    scheme, rest = url.split(":", 1)
    return f"{scheme.partition('+')[0]}:{rest}"
