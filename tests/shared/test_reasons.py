"""What an operator reads of a database that cannot be used: words and what to do, nothing that a row may have held."""

import socket

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from shared.database_server import DatabaseUnsuitable
from shared.reasons import reason, why_no_database


def told(error: Exception) -> Exception:
    """As SQLAlchemy passes an error of the driver on."""
    return DBAPIError("SELECT 'Anna'", {"name": "Anna"}, error)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "nothing listens at its address: start PostgreSQL, or"),
        (socket.gaierror(-2, "Name or service not known"), "its host is not known: correct the URL, where @ : /"),
        (TimeoutError(), "it does not answer in time"),
        (ConnectionError("rejected SSL upgrade"), "it cannot be reached (rejected SSL upgrade): start PostgreSQL, or"),
        (told(asyncpg.InvalidPasswordError("for user Anna")), "PostgreSQL refuses the password: correct it in the URL"),
        (asyncpg.InvalidAuthorizationSpecificationError("Anna"), "PostgreSQL refuses this user from here: correct"),
        (asyncpg.InvalidCatalogNameError("Anna"), "the database does not exist: run deploy/prepare.py (3D000)"),
        (told(asyncpg.InsufficientPrivilegeError("Anna")), "does not let this user at the tables: use their owner"),
        (told(asyncpg.DiskFullError("Anna")), "the disk of PostgreSQL is full: free some space (53100)"),
        (asyncpg.TooManyConnectionsError("Anna"), "raise max_connections, or run fewer processes (53300)"),
        (asyncpg.CannotConnectNowError("Anna"), "PostgreSQL is starting or recovering: wait for it (57P03)"),
        (DatabaseUnsuitable("name another"), "name another"),
        (told(asyncpg.UndefinedTableError("Anna")), "it does not do what it is asked (DBAPIError 42P01): the log of"),
        (KeyError("Anna"), "it does not do what it is asked (KeyError): the log of PostgreSQL says more"),
    ],
)
def test_why_a_database_cannot_be_used(error: Exception, says: str) -> None:
    assert says in why_no_database(error)
    assert "Anna" not in why_no_database(error) + reason(error)


def test_a_line_of_the_log_says_it_too() -> None:
    refused = told(asyncpg.InvalidPasswordError("for user Anna"))
    assert reason(refused) == "PostgreSQL refuses the password: correct it in the URL (28P01)"
