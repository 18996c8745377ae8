"""What a person asks for through whoever sends: only a source's own document emits it, never `POST /v1/events`.

A key that may write events may not erase: whoever verifies a webhook's signature has decided that its sender may.
"""

from msgspec import Struct

from shared.events.fields import Name

ERASE_REQUESTED = "customer.erase_requested.v1"


class EraseRequested(Struct):
    """Everything about this customer that happened or arrived until the event arrived is to be erased."""

    customer: Name
