"""Where the next page starts: the place of the last row of this one, opaque to the caller. Pure."""

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

Place = tuple[datetime, UUID]


def written(place: Place) -> str:
    at, id_ = place
    return base64.urlsafe_b64encode(f"{at.astimezone(UTC).isoformat()} {id_}".encode()).decode()


def read(cursor: str) -> Place:
    """ValueError for anything that `written` did not write."""
    try:
        at, _, id_ = base64.b64decode(cursor, altchars=b"-_", validate=True).decode().partition(" ")
        place = datetime.fromisoformat(at), UUID(id_)
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not a cursor") from error
    if place[0].tzinfo is None or written(place) != cursor:
        raise ValueError("not a cursor")
    return place
