"""What a sender that is asked looks like: deliveries behind a position, and a new position."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from services.ingest.webhooks.request import Request

# In a pulled delivery's headers: what kind of thing it is, for the rules of its document.
KIND = "x-petla-pulled"

Position = dict[str, Any]


class PullFailed(Exception):  # noqa: N818 - it is a state of the sender, not a mistake of the program
    """Nothing can be pulled at the moment; the sentence says why, without a secret, `code` in a word. `retry_after` in
    seconds.
    """

    code = "sender_away"

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Pulled:
    """`position` is behind nothing that still has to be asked for; `more`: there is more to pull at once. What will not
    be asked for again is `passed_over`, in a sentence each.
    """

    deliveries: tuple[Request, ...]
    position: Position
    more: bool = False
    passed_over: tuple[str, ...] = field(default=(), kw_only=True)


class Poller(Protocol):
    """Asks one sender. `name` is the source whose document maps what comes."""

    name: str

    async def pull(self, position: Position) -> Pulled:
        """What lies behind `position` ({}: from the beginning), a bounded part of it. Raises `PullFailed`.

        What it hands out may come again, also changed; nothing that it has not handed out lies before the position.
        """
        ...

    def kept(self) -> None:
        """All that the last `pull` handed out is on the log."""
        ...
