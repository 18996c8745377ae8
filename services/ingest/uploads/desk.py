"""What a person does with a file on the pages: it comes in, is looked at, imported, dropped. Nothing here is HTTP."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO, NamedTuple

from services.ingest.uploads.children import Children
from services.ingest.uploads.choosing import Document, Documents, Offered
from services.ingest.uploads.folder import Busy, Full, Upload, Uploads
from services.ingest.uploads.kept import Choice, Facts, Look
from services.ingest.uploads.own import Own
from shared.clock import Clock
from shared.erasure.requests import Requests

MOST_BYTES = 20 * 1024 * 1024
LONGEST_DOCUMENT = 256 * 1024
OWN = "own"
ENCODINGS = ("utf-8", "cp1250", "iso-8859-2", "utf-16")
DELIMITERS = {"semicolon": ";", "comma": ",", "tab": "\t", "pipe": "|"}
_LONGEST_NAME, _LONGEST_SHEET = 120, 100
_GZIP = b"\x1f\x8b"


class Refused(Exception):  # noqa: N818 - an answer to a person
    """`why` is a key of the page's texts."""

    def __init__(self, why: str, status: int = 422) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


class Sent(NamedTuple):
    """`content` None: no file. `document` is a file with a document of the sender's own, None where there is none."""

    name: str
    size: int
    content: BinaryIO | None
    document: bytes | None
    fields: Mapping[str, str]


class Desk:
    def __init__(
        self, uploads: Uploads, documents: Documents, children: Children, clock: Clock, requests: Requests
    ) -> None:
        self._uploads = uploads
        self._documents = documents
        self._children = children
        self._clock = clock
        self._requests = requests

    async def add(self, sent: Sent, sender: str) -> str:
        """The id of the upload, looked at. Raises Refused."""
        if sent.content is None:
            raise Refused("no_file")
        if sent.size == 0:
            raise Refused("empty_file")
        if sent.size > MOST_BYTES:
            raise Refused("too_large", 413)
        if sent.content.read(2) == _GZIP:
            raise Refused("packed")
        sent.content.seek(0)
        choice, document = self._chosen(sent.fields, sent.document)
        facts = self._facts(_tidied(sent.name), sent.size, sender, choice, document)
        try:
            id_ = await asyncio.to_thread(self._uploads.add, facts, sent.content, document.text)
        except Full:
            raise Refused("full", 429) from None
        await self._look(id_)
        return id_

    async def change(self, upload: Upload, fields: Mapping[str, str], own: bytes | None) -> None:
        """The same file, read another way. Raises Refused."""
        choice, document = self._chosen(fields, own)
        facts = self._facts(upload.facts.name, upload.facts.size, upload.facts.sender, choice, document)
        await asyncio.to_thread(self._uploads.change, upload.id, facts, document.text)
        await self._look(upload.id)

    async def begin(self, upload: Upload, address: str, key: str) -> None:
        """Raises Refused while another one runs; twice is once."""
        if upload.stage not in ("looked", "stopped") or upload.look is None or upload.look.problem:
            return
        try:
            locks = await asyncio.to_thread(self._uploads.begin, upload.id)
        except Busy as busy:
            if busy.same:
                return
            raise Refused("busy", 409) from None
        await self._children.run(self._uploads.path(upload.id), address, key, locks)

    async def drop(self, upload: Upload) -> None:
        await asyncio.to_thread(self._uploads.drop, upload.id)

    async def find(self, id_: str, sender: str) -> Upload | None:
        return await asyncio.to_thread(self._uploads.find, id_, sender)

    async def all(self, sender: str) -> list[Upload]:
        return await asyncio.to_thread(self._uploads.all, sender)

    async def own_document(self, upload: Upload) -> str:
        """The document of the sender's own, empty where another was chosen."""
        return "" if upload.facts.choice.document else await asyncio.to_thread(self._uploads.document, upload.id)

    async def rejected(self, upload: Upload) -> bytes | None:
        """The error file, once there is one."""
        path = Own(self._uploads.path(upload.id)).errors
        return await asyncio.to_thread(path.read_bytes) if path.exists() else None

    def offered(self) -> list[Offered]:
        return self._documents.offered(self._clock.now())

    async def sweep_once(self) -> int:
        """A file may name anybody: none that was here outlives somebody's erasure."""
        erased = max((request.at for request in self._requests.all()), default=None)
        await asyncio.to_thread(self._uploads.sweep, self._clock.now(), erased)
        return 0

    async def _look(self, id_: str) -> None:
        folder = self._uploads.path(id_)
        if not await self._children.look(folder):
            problem = "the file takes more memory or time than a look at it may: save it as CSV"
            Own(folder).looked(Look(problem, code="too_costly"))

    def _chosen(self, fields: Mapping[str, str], own: bytes | None) -> tuple[Choice, Document]:
        name = OWN if own else fields.get("document", "")
        choice = Choice(
            document="" if name == OWN else name,
            encoding=fields["encoding"] if fields.get("encoding") in ENCODINGS else None,
            delimiter=DELIMITERS.get(fields.get("delimiter", "")),
            sheet=fields.get("sheet", "").strip()[:_LONGEST_SHEET] or None,
        )
        if name == OWN:
            return choice, _own(own, fields.get("yaml", ""))
        found = self._documents.find(name, self._clock.now())
        if found is None:
            raise Refused("no_document")
        return choice, found

    def _facts(self, name: str, size: int, sender: str, choice: Choice, document: Document) -> Facts:
        now: datetime = self._clock.now()
        return Facts(name, size, sender, now, choice, document.ce_source, document.version)


def _own(file: bytes | None, text: str) -> Document:
    if not file and not text.strip():
        raise Refused("empty_document")
    if len(file or text) > LONGEST_DOCUMENT:
        raise Refused("long_document")
    try:
        return Document(file.decode("utf-8-sig") if file else text)
    except UnicodeDecodeError:
        raise Refused("document_not_utf8") from None


def _tidied(name: str) -> str:
    """What stands behind the last slash, without characters that nobody types."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[-_LONGEST_NAME:].strip() or "file"
