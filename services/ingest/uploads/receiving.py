"""A form with files, taken in: bounded in bytes, in time and in how many come at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from services.ingest.uploads.desk import LONGEST_DOCUMENT, Refused, Sent

_SECONDS = 120.0
_AT_ONCE = 2  # what they are written to meanwhile has 64 MB in a container
_MOST_FIELDS = 10
# A letter of a document may take four bytes.
_LONGEST_FIELD = 4 * LONGEST_DOCUMENT


class Receiving:
    def __init__(self) -> None:
        self._free = _AT_ONCE

    @asynccontextmanager
    async def form(self, request: Request) -> AsyncIterator[Sent]:
        """Raises Refused. The files of the form are gone when the block ends."""
        if self._free == 0:
            raise Refused("crowd", 503)
        self._free -= 1
        try:
            found = await _read(request)
            try:
                yield await _sent(found)
            finally:
                await found.close()
        finally:
            self._free += 1


async def _read(request: Request) -> FormData:
    try:
        async with asyncio.timeout(_SECONDS):
            return await request.form(max_files=2, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD)
    except TimeoutError:
        raise Refused("too_slow", 408) from None
    except HTTPException as error:
        if error.status_code == 413:
            raise Refused("too_large", 413) from None
        raise Refused("not_read", 400) from None
    except ClientDisconnect:
        raise Refused("not_read", 400) from None


async def _sent(form: FormData) -> Sent:
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    file, own = form.get("file"), form.get("yaml_file")
    document = await own.read() if isinstance(own, UploadFile) and own.size else None
    if isinstance(file, UploadFile) and file.filename:
        return Sent(file.filename, file.size or 0, file.file, document, fields)
    return Sent("", 0, None, document, fields)
