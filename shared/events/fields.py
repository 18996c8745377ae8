"""The field types that events share, and the one error that a bad field gets."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

# For other readers of the schemas; here `check_characters` does the same in a tenth of the time. `(?![\s\S])` is the
# end of the text in Python's and in JavaScript's expressions; `$` would let a newline pass.
NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+(?![\s\S])"
NO_NUL = r"^[^\x00]*(?![\s\S])"
CURRENCY = r"^[A-Z]{3}(?![\s\S])"

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        description="1–256 characters, no control characters",
        extra_json_schema={"pattern": NO_CONTROL},
    ),
]
Text = Annotated[
    str,
    Meta(max_length=200_000, description="what a person wrote; no NUL", extra_json_schema={"pattern": NO_NUL}),
]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset")]
Revision = Annotated[int, Meta(ge=0, le=2**53 - 1, description="the highest revision of a fact wins")]
Seconds = Annotated[float, Meta(ge=0, le=10_000_000, description="seconds")]
Direction = Literal["higher_better", "lower_better"]

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class EventError(ValueError):
    """A field that cannot be taken: `field` as a path (`data.score`), a short `code`, and what to change."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.code = code
        self.message = message


class Money(Struct, forbid_unknown_fields=False):
    """An amount in minor units (grosze, cents) of an ISO 4217 currency."""

    amount: Annotated[int, Meta(ge=-(10**15), le=10**15)]
    currency: Annotated[str, Meta(pattern=CURRENCY, description="ISO 4217, like PLN")]


def check_instant(field: str, value: datetime | None) -> None:
    """Refuse years that no shop means and that overflow in a database."""
    if value is not None and not EARLIEST <= value < LATEST:
        raise EventError(field, "out_of_range", f"{value.isoformat()} is not between 1970 and 2200")


def check_date(field: str, value: date | None) -> None:
    if value is not None and not EARLIEST.date() <= value < LATEST.date():
        raise EventError(field, "out_of_range", f"{value.isoformat()} is not between 1970 and 2200")


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TEXT_FIELD = ".text"  # the one field in which a person may break lines


def may_hold_controls(document: bytes) -> bool:
    """In JSON a control character is escaped, and the others begin with one of two bytes: most documents have none."""
    return b"\\" in document or b"\x7f" in document or (not document.isascii() and b"\xc2" in document)


def check_characters(value: object, root: str) -> None:
    """EventError when a name in `value`, read at the path `root`, holds a control character, or a text holds NUL."""
    _check(msgspec.to_builtins(value), root)


def _check(value: object, path: str) -> None:
    match value:
        case str() if path.endswith(_TEXT_FIELD):
            if "\0" in value:
                raise EventError(path, "control_character", "holds the character NUL: remove it")
        case str() if _CONTROL.search(value):
            raise EventError(path, "control_character", "holds a control character (such as a line break): remove it")
        case dict():
            for name, inner in value.items():
                _check(inner, f"{path}.{name}" if path else str(name))
        case list():
            for at, inner in enumerate(value):
                _check(inner, f"{path}[{at}]")
