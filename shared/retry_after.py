"""What others ask by `Retry-After`: seconds, or an HTTP date. Pure."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """Seconds or an HTTP date, from 0 on; None when there is none or nobody can read it."""
    if header is None:
        return None
    try:
        return max(0.0, float(int(header)))
    except (ValueError, OverflowError):
        pass
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())
