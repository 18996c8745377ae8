"""What is kept of an upload beside its file, as JSON: what it is, how it looks, how it ended. Pure."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Asks = Literal["document", "encoding", "delimiter", "sheet"]


class Choice(Struct, frozen=True):
    """How the file is to be read. `document` names one that is there, empty: the uploader's own.

    What is None is read from the file, or stands in the document.
    """

    document: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


class Facts(Struct, frozen=True):
    """`sender` is the source of the key that it came with, the first part of the identity of each of its events.

    `ce_source` and `version` are those of a source's document as it is in force; None: as the document says.
    """

    name: str
    size: int
    sender: str
    made_at: datetime
    choice: Choice
    ce_source: str | None = None
    version: int | None = None


class Mistake(Struct, frozen=True):
    """A row that would be rejected, counted from 1; `field` is None where the whole row is at fault.

    `code` is one of the door's; None where none of them says it.
    """

    row: int
    field: str | None
    message: str
    code: str | None = None


class SeenEvent(Struct, frozen=True):
    """`fields` are those of its data, with its time first where it has one."""

    type: str
    fields: list[tuple[str, str]]


class SeenRow(Struct, frozen=True):
    """`cells` by column."""

    number: int
    cells: list[tuple[str, str]]
    events: list[SeenEvent]
    mistake: Mistake | None = None


class Look(Struct, frozen=True):
    """The first rows, and what would become of them; or `problem`, and what has to be said first (`asks`).

    `code` is the kind of the problem: the page has a sentence for each.

    `repeated` events name a fact that an earlier row named already: of these one counts.
    """

    problem: str | None = None
    code: str | None = None
    asks: Asks | None = None
    choices: list[str] = []
    kind: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    rows: int = 0
    is_all: bool = True
    giving: int = 0
    ignored: int = 0
    rejected: int = 0
    repeated: int = 0
    events: dict[str, int] = {}
    shown: list[SeenRow] = []
    mistakes: list[Mistake] = []


class Counted(Struct, frozen=True):
    """As `petla import` counts: `rows` and `ignored` rows, the others events."""

    rows: int = 0
    sent: int = 0
    accepted: int = 0
    ignored: int = 0
    rejected: int = 0


class Ended(Struct, frozen=True):
    """`stopped` says why before the end of the file, `code` of which kind that is; it can go on from there."""

    counts: Counted
    stopped: str | None = None
    code: str | None = None


class Standing(Struct, frozen=True):
    """What the checkpoint of an import says; `position` in bytes of the file."""

    counts: Counted = Counted()
    position: int = 0
    identity: dict[str, Any] = {}
