"""What every response carries, and what no request may be: an ASGI layer of its own for its speed."""

from __future__ import annotations

import time
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.window.metrics import Metrics
from deploy.window.problems import Problem
from deploy.window.protocol import HEADERS_LARGEST

#: The largest body a question can need, with room.
LARGEST: Final = 16 << 10
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TOO_LARGE: Final = Problem(
    431, "too-large", "Address and headers of at most 16 KiB.", "地址和请求头最多 16 KiB。"
)
_RAW: Final = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class Guard:
    """Sets headers, refuses large bodies and headers, and times each request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_RAW]
            await send(message)

        try:
            if _headers(scope) > HEADERS_LARGEST:
                await _TOO_LARGE.response()(scope, receive, guarded)
            else:
                await self._app(scope, _Bounded(receive), guarded)
        finally:
            self._metrics.took(_path(scope), status, time.perf_counter() - started)


class _Bounded:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > LARGEST:
            raise HTTPException(413)  # FastAPI makes 400 of any other error while it reads
        return message


def _headers(scope: Scope) -> int:
    """Return the bytes of a request's address and headers."""
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return address + sum(len(name) + len(value) for name, value in scope["headers"])


def _path(scope: Scope) -> str:
    route: Any = scope.get("route")
    return str(getattr(route, "path", "other"))
