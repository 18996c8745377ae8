"""What the page of one upload shows, made from how it stands. Pure."""

from dataclasses import dataclass
from typing import Literal

from services.ingest.uploads.folder import Upload
from services.ingest.uploads.kept import Choice, Facts, Look
from services.ingest.uploads.wording import Wording

State = Literal["problem", "looked", "running", "stopped", "done"]
_DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "pipe"}


@dataclass(frozen=True)
class Chosen:
    """What the fields of the form hold: names of options, empty for what is to be detected."""

    document: str
    own: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Page:
    upload: Upload
    state: State
    heading: str
    read_as: list[str]
    percent: int
    done: str
    chosen: Chosen


def upload_page(upload: Upload, own: str, say: Wording) -> Page:
    """`own` is the sender's own document, where that was chosen."""
    state = state_of(upload)
    return Page(
        upload=upload,
        state=state,
        heading=_heading(upload, state, say),
        read_as=_read_as(upload.facts, upload.look, say),
        percent=min(99, 100 * upload.standing.position // max(1, upload.facts.size)),
        done=say.counted("rows", upload.standing.counts.rows),
        chosen=chosen(upload.facts.choice, own),
    )


def state_of(upload: Upload) -> State:
    if upload.stage == "looked" and (upload.look is None or upload.look.problem):
        return "problem"
    return upload.stage


def chosen(choice: Choice, own: str) -> Chosen:
    return Chosen(
        document=choice.document or "own",
        own=own,
        encoding=choice.encoding or "",
        delimiter=_DELIMITERS.get(choice.delimiter or "", ""),
        sheet=choice.sheet or "",
    )


def _heading(upload: Upload, state: State, say: Wording) -> str:
    if state != "done":
        return say.text("preview" if state == "looked" else state)
    assert upload.ended is not None
    counts = upload.ended.counts
    return say.text("done" if counts.accepted else "done.none")


def _read_as(facts: Facts, look: Look | None, say: Wording) -> list[str]:
    size = say.size(facts.size)
    if look is None or look.kind is None:
        return [size]
    told = [say.text("read.as", kind=say.texts.get(f"kind.{look.kind}", look.kind), size=size)]
    if look.encoding:
        told.append(say.text("read.encoding", encoding=_spelled(look.encoding)))
    if look.delimiter:
        name = _DELIMITERS.get(look.delimiter)
        told.append(say.text("read.delimiter", delimiter=say.text(f"delimiter.{name}") if name else look.delimiter))
    if look.sheet:
        told.append(say.text("read.sheet", sheet=look.sheet))
    return told


def _spelled(encoding: str) -> str:
    return {"iso8859-2": "iso-8859-2"}.get(encoding, encoding.upper() if encoding.startswith("utf") else encoding)
