"""Why something failed, in one line for the log. Words that may quote a row are not repeated: a code has to do."""

import socket

from shared.database_server import DatabaseUnsuitable
from shared.db import first_line, sqlstate
from shared.log.port import LogUnavailable

# Whose words are ours or the operating system's.
_OWN_WORDS = (LogUnavailable, DatabaseUnsuitable, OSError, TimeoutError)
# By the code of a server that cannot be used as it is: nothing of it quotes a row.
_OF_A_SERVER = {
    "28P01": "PostgreSQL refuses the password: correct it in the URL",
    "28000": "PostgreSQL refuses this user from here: correct the URL, or pg_hba.conf",
    "3D000": "the database does not exist: run deploy/prepare.py",
    "42501": "PostgreSQL does not let this user at the tables: use their owner, or grant them",
    "53100": "the disk of PostgreSQL is full: free some space",
    "53300": "PostgreSQL has no connection left: raise max_connections, or run fewer processes",
    "57P03": "PostgreSQL is starting or recovering: wait for it",
}


def reason(error: BaseException) -> str:
    if isinstance(error, _OWN_WORDS):
        return first_line(error)
    state = sqlstate(error)
    if state in _OF_A_SERVER:
        return f"{_OF_A_SERVER[state]} ({state})"
    return f"{type(error).__name__} {state}" if state else type(error).__name__


def why_no_database(error: BaseException) -> str:
    """Why a database could not be used, with what to do, for the operator who asked."""
    match error:
        case ConnectionRefusedError():
            return "nothing listens at its address: start PostgreSQL, or correct the URL"
        case socket.gaierror():
            return "its host is not known: correct the URL, where @ : / of a password are written %40 %3A %2F"
        case TimeoutError():
            return "it does not answer in time: look at PostgreSQL, and whether its address can be reached from here"
        case OSError() if not isinstance(error, DatabaseUnsuitable):
            return f"it cannot be reached ({error.strerror or first_line(error)}): start PostgreSQL, or correct the URL"
        case _ if isinstance(error, DatabaseUnsuitable) or sqlstate(error) in _OF_A_SERVER:
            return reason(error)
        case _:
            return f"it does not do what it is asked ({reason(error)}): the log of PostgreSQL says more"
