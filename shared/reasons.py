"""Why something failed, in one line for the log. Words that may quote a row are not repeated: a code has to do."""

from shared.database_server import DatabaseUnsuitable
from shared.db import first_line, sqlstate
from shared.log.port import LogUnavailable

# Whose words are ours or the operating system's.
_OWN_WORDS = (LogUnavailable, DatabaseUnsuitable, OSError, TimeoutError)


def reason(error: BaseException) -> str:
    if isinstance(error, _OWN_WORDS):
        return first_line(error)
    state = sqlstate(error)
    return f"{type(error).__name__} {state}" if state else type(error).__name__
