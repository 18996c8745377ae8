"""Around every API, as pure ASGI: a request body has an end, HEAD is GET without a body, every error is answered."""

from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.problems import Refusal, internal_error, unavailable

IsAway = Callable[[Exception], bool]


class LastResort:
    """What no handler foresaw is logged once and answered 500; an answer already begun is broken off.

    `is_away` tells what may succeed a moment later: 503, and when to ask again.
    """

    def __init__(self, app: ASGIApp, is_away: IsAway) -> None:
        self._app = app
        self._is_away = is_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            answer = unavailable(error) if self._is_away(error) else internal_error(error)
            await answer(scope, receive, send)


class HeadAsGet:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


class BodyLimit:
    """Counts what really arrives: a declared length may be missing or a lie. (FastAPI's own answers text/plain.)

    `larger` has paths whose bodies may be more.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, larger: Mapping[str, int]) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = left = self._most(scope)

        async def counting() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise Refusal(413, "too_large", f"a body has at most {most} bytes here")
            return message

        await self._app(scope, counting, send)

    def _most(self, scope: Scope) -> int:
        path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
        return self._larger.get(path, self._max_bytes)
