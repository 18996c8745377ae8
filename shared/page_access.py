"""Who may open a page: whose browser gives an API key as the password; and whose page may have an effect: our own."""

import base64
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials

from shared.access import BEARER, AccessDenied, Principal, authenticate, require

ASK = 'Basic realm="Petla: any name, an API key as the password", charset="UTF-8"'


def page_requires(scope: str) -> Callable[..., Awaitable[Principal]]:
    """As `requires`, for a page: a browser asks its reader for the key and sends it as the password (RFC 7617).

    What has an effect also calls `refuse_other_pages`: a browser sends a password along whoever made it call.
    """

    async def principal(
        request: Request, shown_in_docs: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)] = None
    ) -> Principal:
        header = request.headers.get("authorization", "").encode("latin-1")
        by_reader = "text/html" in request.headers.get("accept", "")
        try:
            found = authenticate(request.app.state.config, _from_password(header) or None)
        except AccessDenied as denied:
            raise AccessDenied(denied.status, denied.code, denied.detail, ASK if by_reader else "Bearer") from None
        require(found, scope)
        return found

    return principal


def key_of(request: Request) -> str:
    """The key that a request came with, however it was sent; empty where there was none."""
    return (
        _from_password(request.headers.get("authorization", "").encode("latin-1")).partition(b" ")[2].decode("latin-1")
    )


def refuse_other_pages(request: Request) -> None:
    """AccessDenied (403) where a browser says that another origin's page made it send this, or does not say.

    Its word is `Sec-Fetch-Site`, else `Origin`, which a page that has forms must let it say. A program that sends its
    key itself is nobody's page.
    """
    if not request.headers.get("authorization", "").lower().startswith("basic"):
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin", "").partition("://")[2]
    if site != "same-origin" if site is not None else origin != request.headers.get("host"):
        raise AccessDenied(403, "other_page", "this is done from Pętla's own pages only: open them and do it there")


def _from_password(header: bytes) -> bytes:
    """The header as if the key had been sent as such; any name may stand before it."""
    scheme, _, credentials = header.partition(b" ")
    if scheme.lower() != b"basic":
        return header
    try:
        return b"Bearer " + base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b"Bearer "
